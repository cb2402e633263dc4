/*
 * owner.c - rights and settings, taken and given back.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"

#include "owner.h"

void
owner_become(struct before_owner *before, Oid owner, bool has_code)
{
	GetUserIdAndSecContext(&before->user, &before->context);
	SetUserIdAndSecContext(owner, before->context | SECURITY_RESTRICTED_OPERATION);
	before->settings = has_code ? NewGUCNestLevel() : 0;
}

void
owner_leave(struct before_owner *before)
{
	if (before->settings != 0)
		AtEOXact_GUC(false, before->settings);
	before->settings = 0;
	SetUserIdAndSecContext(before->user, before->context);
}
