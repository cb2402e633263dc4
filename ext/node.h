/*
 * node.h - which node this database is.
 */
#ifndef ELVIS_EXT_NODE_H
#define ELVIS_EXT_NODE_H

struct node {
	int32 id;
	int64 incarnation;
};

void node_init(void);

/*
 * This node; an error (EL003) when the database is none, or is a copy of one: two nodes
 * of one number would mix up everything that positions and origins stand for.
 */
const struct node *node_genuine(void);

#endif
