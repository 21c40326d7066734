/* A library for LD_PRELOAD that makes calls of the file system fail. Only calls on paths below one folder are counted.

faults_arm(folder, call, error, mode) makes call number `call` from now on fail with `error`. Modes: 0 only this call fails; 1 this
call and all later ones fail; 2 like 1, but only calls that need space or write, as on a full disk or in a read-only folder.
A write or fwrite that fails in the modes 0 and 2 first writes half of its bytes. faults_disarm() ends this and returns the number of calls.
With FAULTS_CLOCK in the environment, the clock of the system jumps by a day, forwards and backwards, at each look. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { READS, WRITES };
static char folder[PATH_MAX];
static volatile int armed, calls, target, fault, mode, failed;
static char failed_name[64];

void faults_arm(const char *path, int call, int error, int how) {
  strncpy(folder, path, sizeof folder - 1);
  calls = failed = 0;
  failed_name[0] = 0;
  target = call;
  fault = error;
  mode = how;
  armed = 1;
}

int faults_disarm(void) {
  armed = 0;
  return calls;
}

int faults_failed(void) { return failed; }
const char *faults_failed_name(void) { return failed_name; }

/* Whether this call fails. Sets errno. */
static int fails(const char *name, const char *path, int kind) {
  size_t length = strlen(folder);
  if (!armed || !path || strncmp(path, folder, length) || (path[length] && path[length] != '/')) return 0;
  if (mode == 2 && kind == READS) return 0;
  int number = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  if (mode == 0 ? number != target : number < target) return 0;
  if (!failed) strncpy(failed_name, name, sizeof failed_name - 1);
  failed = 1;
  errno = fault;
  return 1;
}

static const char *path_of(int fd, char *buffer) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, buffer, PATH_MAX - 1);
  buffer[size > 0 ? size : 0] = 0;
  return buffer;
}

static const char *joined(int fd, const char *path, char *buffer) {
  if (!path || path[0] == '/' || fd == AT_FDCWD) return path;
  path_of(fd, buffer);
  strncat(buffer, "/", PATH_MAX - strlen(buffer) - 1);
  strncat(buffer, path, PATH_MAX - strlen(buffer) - 1);
  return buffer;
}

static int fd_fails(const char *name, int fd, int kind) {
  char buffer[PATH_MAX];
  return armed && fails(name, path_of(fd, buffer), kind);
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)
#define KIND_OF(flags) ((flags) & (O_CREAT | O_WRONLY | O_RDWR | O_TRUNC) ? WRITES : READS)

#define OPEN(name)                                                                        \
  int name(const char *path, int flags, ...) {                                            \
    va_list list; va_start(list, flags); mode_t m = va_arg(list, mode_t); va_end(list);   \
    REAL(name); return armed && fails(#name, path, KIND_OF(flags)) ? -1 : real(path, flags, m); }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                      \
  int name(int fd, const char *path, int flags, ...) {                                    \
    va_list list; va_start(list, flags); mode_t m = va_arg(list, mode_t); va_end(list);   \
    char b[PATH_MAX]; REAL(name);                                                         \
    return armed && fails(#name, joined(fd, path, b), KIND_OF(flags)) ? -1 : real(fd, path, flags, m); }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                                       \
  FILE *name(const char *path, const char *how) {                                         \
    REAL(name); return armed && fails(#name, path, how[0] == 'r' && !strchr(how, '+') ? READS : WRITES) ? NULL : real(path, how); }
FOPEN(fopen)
FOPEN(fopen64)

ssize_t write(int fd, const void *data, size_t size) {
  REAL(write);
  if (fd_fails("write", fd, WRITES)) {
    if (mode != 1 && size > 1 && real(fd, data, size / 2) < 0) return -1;
    errno = fault;
    return -1;
  }
  return real(fd, data, size);
}
#define PWRITE(name)                                                                      \
  ssize_t name(int fd, const void *data, size_t size, off_t at) {                         \
    REAL(name); return fd_fails(#name, fd, WRITES) ? -1 : real(fd, data, size, at); }
PWRITE(pwrite)
PWRITE(pwrite64)
ssize_t writev(int fd, const struct iovec *data, int count) {
  REAL(writev); return fd_fails("writev", fd, WRITES) ? -1 : real(fd, data, count); }
size_t fwrite(const void *data, size_t size, size_t count, FILE *file) {
  REAL(fwrite);
  if (armed && fd_fails("fwrite", fileno(file), WRITES)) {
    size_t some = mode == 1 ? 0 : real(data, size, count / 2, file);
    errno = fault;
    return some;
  }
  return real(data, size, count, file);
}
int fflush(FILE *file) { REAL(fflush); return armed && file && fd_fails("fflush", fileno(file), WRITES) ? EOF : real(file); }
int fclose(FILE *file) {
  REAL(fclose);
  int failing = armed && fd_fails("fclose", fileno(file), WRITES), result = real(file);
  if (failing) errno = fault;
  return failing ? EOF : result;
}
int close(int fd) {
  REAL(close);
  int is_written = armed && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
  int failing = is_written && fd_fails("close", fd, WRITES), result = real(fd);
  if (failing) errno = fault;
  return failing ? -1 : result;
}
int fsync(int fd) { REAL(fsync); return fd_fails("fsync", fd, WRITES) ? -1 : real(fd); }
int fdatasync(int fd) { REAL(fdatasync); return fd_fails("fdatasync", fd, WRITES) ? -1 : real(fd); }
int ftruncate(int fd, off_t n) { REAL(ftruncate); return fd_fails("ftruncate", fd, WRITES) ? -1 : real(fd, n); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); return fd_fails("ftruncate64", fd, WRITES) ? -1 : real(fd, n); }
int rename(const char *a, const char *b) { REAL(rename); return armed && fails("rename", b, WRITES) ? -1 : real(a, b); }
int renameat(int fa, const char *a, int fb, const char *b) {
  char s[PATH_MAX]; REAL(renameat); return armed && fails("renameat", joined(fb, b, s), WRITES) ? -1 : real(fa, a, fb, b); }
int unlink(const char *p) { REAL(unlink); return armed && fails("unlink", p, WRITES) ? -1 : real(p); }
int unlinkat(int fd, const char *p, int f) {
  char s[PATH_MAX]; REAL(unlinkat); return armed && fails("unlinkat", joined(fd, p, s), WRITES) ? -1 : real(fd, p, f); }
int rmdir(const char *p) { REAL(rmdir); return armed && fails("rmdir", p, WRITES) ? -1 : real(p); }
int mkdir(const char *p, mode_t m) { REAL(mkdir); return armed && fails("mkdir", p, WRITES) ? -1 : real(p, m); }
int stat(const char *p, struct stat *s) { REAL(stat); return armed && fails("stat", p, READS) ? -1 : real(p, s); }
int lstat(const char *p, struct stat *s) { REAL(lstat); return armed && fails("lstat", p, READS) ? -1 : real(p, s); }
int stat64(const char *p, struct stat64 *s) { REAL(stat64); return armed && fails("stat64", p, READS) ? -1 : real(p, s); }
int lstat64(const char *p, struct stat64 *s) { REAL(lstat64); return armed && fails("lstat64", p, READS) ? -1 : real(p, s); }
int fstatat(int fd, const char *p, struct stat *s, int f) {
  char b[PATH_MAX]; REAL(fstatat); return armed && fails("fstatat", joined(fd, p, b), READS) ? -1 : real(fd, p, s, f); }
int fstatat64(int fd, const char *p, struct stat64 *s, int f) {
  char b[PATH_MAX]; REAL(fstatat64); return armed && fails("fstatat64", joined(fd, p, b), READS) ? -1 : real(fd, p, s, f); }
DIR *opendir(const char *p) { REAL(opendir); return armed && fails("opendir", p, READS) ? NULL : real(p); }
int utimensat(int fd, const char *p, const struct timespec t[2], int f) {
  char b[PATH_MAX]; REAL(utimensat); return armed && fails("utimensat", joined(fd, p, b), WRITES) ? -1 : real(fd, p, t, f); }

static long jump(void) {
  static volatile int looks = 0;
  return getenv("FAULTS_CLOCK") ? 86400L * (__atomic_add_fetch(&looks, 1, __ATOMIC_SEQ_CST) % 7 - 3) : 0;
}
int clock_gettime(clockid_t clock, struct timespec *t) {
  REAL(clock_gettime);
  int result = real(clock, t);
  if (clock == CLOCK_REALTIME && !result) t->tv_sec += jump();
  return result;
}
int gettimeofday(struct timeval *restrict t, void *restrict zone) {
  REAL(gettimeofday);
  int result = real(t, zone);
  if (t && !result) t->tv_sec += jump();
  return result;
}
time_t time(time_t *t) {
  REAL(time);
  time_t now = real(NULL) + jump();
  if (t) *t = now;
  return now;
}
