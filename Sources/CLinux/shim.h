/* Linux calls that Swift's Glibc module leaves out. */
#include <malloc.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <signal.h>

/* prctl is variadic, which Swift does not import. */
static inline int clinux_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }
static inline int clinux_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

/* So is ioctl. How many bytes wait to be read from a socket, and how many were written to it and not taken yet. */
static inline int clinux_unread(int socket, int *count) { return ioctl(socket, FIONREAD, count); }
static inline int clinux_unsent(int socket, int *count) { return ioctl(socket, TIOCOUTQ, count); }

/* Whether a signal is ignored, as `nohup` has SIGHUP; SIG_IGN is a macro that Swift does not import. */
static inline int clinux_ignores(int number) {
  struct sigaction action;
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* fcntl.h tells of it to those only who define _GNU_SOURCE: a descriptor that stands for a file and cannot read it. */
static const int clinux_path_only = 010000000;
