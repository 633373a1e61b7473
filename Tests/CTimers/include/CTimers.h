/* Timers that are waited for like sockets, which Swift's Glibc module leaves out. */
#ifndef CTIMERS_H
#define CTIMERS_H

/* A descriptor that is readable from the moment that was set; -1 and errno where there is none to be had. */
int ctimers_open(void);

/* Sets the moment in nanoseconds of CLOCK_MONOTONIC; 0 for never. Whatever was set before is forgotten. 0 if it worked. */
int ctimers_set(int timer, long long nanoseconds);

#endif
