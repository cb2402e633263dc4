#include "ctl/commands.h"

const struct cmd *const ctl_commands[] = {
	&cmd_check,
	&cmd_plan,
	&cmd_apply,
	&cmd_copy,
	&cmd_status,
	&cmd_wait,
	&cmd_pause,
	&cmd_resume,
	&cmd_skip,
	&cmd_conflicts,
	&cmd_forget,
	&cmd_sequences,
	&cmd_adopt_node,
	&cmd_same_node,
	&cmd_policies,
	&cmd_check_policy,
	&cmd_sinks,
	&cmd_options,
	NULL,
};
