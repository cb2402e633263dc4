/*
 * The commands, one record each; ctl_commands[] puts them in order.
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "ctl/cmd.h"

extern const struct cmd cmd_check, cmd_plan, cmd_apply, cmd_copy;
extern const struct cmd cmd_status, cmd_wait;
extern const struct cmd cmd_pause, cmd_resume, cmd_skip, cmd_forget, cmd_sequences;
extern const struct cmd cmd_conflicts;
extern const struct cmd cmd_policies, cmd_check_policy, cmd_sinks, cmd_options;
extern const struct cmd cmd_adopt_node, cmd_same_node;

#endif
