/* A disk that fails, for tests: loaded before the C library, it counts every change to the files below one folder, and at
 * a chosen one the disk becomes full or read-only, or the processes are killed or stopped.
 *
 * FAULTS names a file that all processes map: see `struct control`. FAULTS_FOLDER is the folder, without a slash at its
 * end. Without these variables nothing is changed. FAULTS_READ names a file that gets a line for each file below the
 * folder that is opened and may be read.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, FULL, READ_ONLY, KILL, STOP };

struct control {
    int64_t mode;
    int64_t at;    /* the change that fails, from 0 */
    int64_t count; /* changes so far */
    int64_t hit;   /* 1 as soon as a change has failed */
};

/* What a change needs: room on the disk, or only a disk that may be written. */
enum { NEEDS_ROOM, NEEDS_WRITING };

static struct control *control(void) {
    static struct control *mapped;
    static char of[PATH_MAX];
    const char *name = getenv("FAULTS");
    if (name == NULL)
        return NULL;
    if (mapped != NULL && strcmp(of, name) == 0)
        return mapped;
    int file = syscall(SYS_openat, AT_FDCWD, name, O_RDWR, 0);
    if (file < 0)
        return NULL;
    void *at = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at == MAP_FAILED)
        return NULL;
    snprintf(of, sizeof of, "%s", name);
    return mapped = at;
}

static int below(const char *path) {
    const char *folder = getenv("FAULTS_FOLDER");
    size_t length = folder == NULL ? 0 : strlen(folder);
    return length && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int watched(int at, const char *path) {
    char whole[2 * PATH_MAX], start[PATH_MAX] = "";
    if (control() == NULL || path == NULL)
        return 0;
    if (path[0] == '/')
        return below(path);
    if (at == AT_FDCWD) {
        if (getcwd(start, sizeof start) == NULL)
            return 0;
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        ssize_t length = readlink(link, start, sizeof start - 1);
        start[length < 0 ? 0 : length] = 0;
    }
    snprintf(whole, sizeof whole, "%s/%s", start, path);
    return below(whole);
}

/* Write the path of an open file, of at most PATH_MAX - 1 characters; return 0 if it is not below the folder. */
static int path_of_watched(int file, char *path) {
    char link[64];
    if (control() == NULL)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 2);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return below(path);
}

static int watched_file(int file) {
    char path[PATH_MAX];
    return path_of_watched(file, path);
}

static void note_read(int file) {
    char path[PATH_MAX];
    const char *name = getenv("FAULTS_READ");
    if (name == NULL || !path_of_watched(file, path))
        return;
    int saved = errno;
    int notes = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND, 0666);
    strcat(path, "\n");
    if (notes < 0 || syscall(SYS_write, notes, path, strlen(path)) < 0)
        abort();
    close(notes);
    errno = saved;
}

/* Count a change. Return 0 if it may happen, 1 if it is the first one that fails, 2 if it is a later one. */
static int change(int needs) {
    struct control *now = control();
    int saved = errno;
    int64_t number = __atomic_fetch_add(&now->count, 1, __ATOMIC_SEQ_CST);
    int result = 0;
    if (now->mode == FULL && needs == NEEDS_ROOM && number >= now->at) {
        result = __atomic_exchange_n(&now->hit, 1, __ATOMIC_SEQ_CST) ? 2 : 1;
        saved = ENOSPC;
    } else if (now->mode == READ_ONLY) {
        now->hit = 1;
        result = 2;
        saved = EROFS;
    } else if (now->mode == KILL && number >= now->at) {
        result = 1; /* half of a write happens first; see `kill_all` */
    } else if (now->mode == STOP && number == now->at) {
        now->hit = 1;
        kill(0, SIGSTOP);
    }
    errno = saved;
    return result;
}

/* End all processes of the group, if that is what happens at this change; otherwise the change has failed. */
static int failed(void) {
    if (control()->mode == KILL) {
        control()->hit = 1;
        kill(0, SIGKILL);
        for (;;)
            pause();
    }
    return -1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int creates(int at, const char *path, int flags) {
    return (flags & O_CREAT) && faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    if (writes && !(flags & O_PATH) && watched(at, path)) {
        int before = errno;
        int needs = creates(at, path, flags) ? NEEDS_ROOM : NEEDS_WRITING;
        errno = before;
        if (change(needs))
            return failed();
    }
    int file = syscall(SYS_openat, at, path, flags, mode);
    if (file >= 0 && (flags & O_ACCMODE) != O_WRONLY && !(flags & O_PATH))
        note_read(file);
    return file;
}

#define MODE(flags, last)                                                                                                   \
    mode_t mode = 0;                                                                                                        \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                                  \
        va_list rest;                                                                                                       \
        va_start(rest, last);                                                                                               \
        mode = va_arg(rest, mode_t);                                                                                        \
        va_end(rest);                                                                                                       \
    }

int open(const char *path, int flags, ...) {
    MODE(flags, flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags, flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...) {
    MODE(flags, flags)
    return open_at(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
    MODE(flags, flags)
    return open_at(at, path, flags, mode);
}

int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

/* The first write that fails writes its first half, as a disk does that has a little room left. */
ssize_t write(int file, const void *bytes, size_t length) {
    int what = watched_file(file) ? change(NEEDS_ROOM) : 0;
    if (what == 1 && length > 1) {
        ssize_t half = syscall(SYS_write, file, bytes, length / 2);
        return control()->mode == KILL ? failed() : half;
    }
    return what ? failed() : syscall(SYS_write, file, bytes, length);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    int what = watched_file(file) ? change(NEEDS_ROOM) : 0;
    if (what == 1 && length > 1) {
        ssize_t half = syscall(SYS_pwrite64, file, bytes, length / 2, at);
        return control()->mode == KILL ? failed() : half;
    }
    return what ? failed() : syscall(SYS_pwrite64, file, bytes, length, at);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) { return pwrite64(file, bytes, length, at); }

ssize_t writev(int file, const struct iovec *parts, int count) {
    return watched_file(file) && change(NEEDS_ROOM) ? failed() : syscall(SYS_writev, file, parts, count);
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t length) {
    return watched_file(to) && change(NEEDS_ROOM) ? failed() : NEXT(sendfile64)(to, from, at, length);
}

ssize_t sendfile(int to, int from, off_t *at, size_t length) { return sendfile64(to, from, at, length); }

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned flags) {
    return watched_file(to) && change(NEEDS_ROOM) ? failed()
                                                  : NEXT(copy_file_range)(from, from_at, to, to_at, length, flags);
}

int ftruncate64(int file, off64_t length) {
    return watched_file(file) && change(NEEDS_WRITING) ? failed() : syscall(SYS_ftruncate, file, length);
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

int fsync(int file) { return watched_file(file) && change(NEEDS_ROOM) ? failed() : syscall(SYS_fsync, file); }

int fdatasync(int file) { return watched_file(file) && change(NEEDS_ROOM) ? failed() : syscall(SYS_fdatasync, file); }

int posix_fallocate64(int file, off64_t at, off64_t length) {
    if (watched_file(file) && change(NEEDS_ROOM)) {
        failed();
        return errno;
    }
    return NEXT(posix_fallocate64)(file, at, length);
}

int posix_fallocate(int file, off_t at, off_t length) { return posix_fallocate64(file, at, length); }

int rename(const char *from, const char *to) {
    return watched(AT_FDCWD, to) && change(NEEDS_ROOM) ? failed() : NEXT(rename)(from, to);
}

int renameat(int from_at, const char *from, int to_at, const char *to) {
    return watched(to_at, to) && change(NEEDS_ROOM) ? failed() : NEXT(renameat)(from_at, from, to_at, to);
}

int mkdir(const char *path, mode_t mode) {
    if (!watched(AT_FDCWD, path) || faccessat(AT_FDCWD, path, F_OK, 0) == 0)
        return NEXT(mkdir)(path, mode);
    return change(NEEDS_ROOM) ? failed() : NEXT(mkdir)(path, mode);
}

int mkdirat(int at, const char *path, mode_t mode) {
    return watched(at, path) && change(NEEDS_ROOM) ? failed() : NEXT(mkdirat)(at, path, mode);
}

int link(const char *from, const char *to) {
    return watched(AT_FDCWD, to) && change(NEEDS_ROOM) ? failed() : NEXT(link)(from, to);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    return watched(to_at, to) && change(NEEDS_ROOM) ? failed() : NEXT(linkat)(from_at, from, to_at, to, flags);
}

int symlink(const char *from, const char *to) {
    return watched(AT_FDCWD, to) && change(NEEDS_ROOM) ? failed() : NEXT(symlink)(from, to);
}

int unlink(const char *path) {
    return watched(AT_FDCWD, path) && change(NEEDS_WRITING) ? failed() : NEXT(unlink)(path);
}

int unlinkat(int at, const char *path, int flags) {
    return watched(at, path) && change(NEEDS_WRITING) ? failed() : NEXT(unlinkat)(at, path, flags);
}

int rmdir(const char *path) { return watched(AT_FDCWD, path) && change(NEEDS_WRITING) ? failed() : NEXT(rmdir)(path); }
