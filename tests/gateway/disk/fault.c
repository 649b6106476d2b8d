/* A disk that fails: loaded before the C library (LD_PRELOAD). While $DISK_FAULTS/full exists, nothing can be written to a
 * database's files; while $DISK_FAULTS/sync exists, nothing that was written to them can be made durable. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int wanted(const char *fault)
{
    char path[PATH_MAX];
    const char *folder = getenv("DISK_FAULTS");
    if (!folder || snprintf(path, sizeof path, "%s/%s", folder, fault) >= (int)sizeof path)
        return 0;
    int before = errno;
    int there = access(path, F_OK) == 0;
    errno = before;
    return there;
}

static int of_a_database(int fd)
{
    char link[64], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0)
        return 0;
    path[length] = 0;
    return strstr(path, ".db") != NULL;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FULL(fd)                                   \
    do {                                           \
        if (of_a_database(fd) && wanted("full")) { \
            errno = ENOSPC;                        \
            return -1;                             \
        }                                          \
    } while (0)
#define SYNC(fd)                                   \
    do {                                           \
        if (of_a_database(fd) && wanted("sync")) { \
            errno = EIO;                           \
            return -1;                             \
        }                                          \
    } while (0)

ssize_t write(int fd, const void *bytes, size_t count)
{
    FULL(fd);
    return NEXT(write)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    FULL(fd);
    return NEXT(pwrite)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    FULL(fd);
    return NEXT(pwrite64)(fd, bytes, count, at);
}

int fsync(int fd)
{
    SYNC(fd);
    return NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    SYNC(fd);
    return NEXT(fdatasync)(fd);
}
