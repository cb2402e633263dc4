/*
 * elvisctl without its main(), for tests to link.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

/* Reads the command line, runs the command; returns an enum ctl_exit. */
int ctl_main(int argc, char **argv);

#endif
