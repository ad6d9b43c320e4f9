/* A disk that forgets what was not synced. Loaded before libc into every process of a run (LD_PRELOAD).
 *
 * Whatever a process does to the files of one folder is done, and written down in a book that all processes share, in
 * the order in which it was done. Nothing is synced for real: a sync is an entry that says which entries before it
 * are on the platter from here on. `disk.py` reads the book after a power cut and makes the folder what it would be.
 *
 * ATTUNE_DISK: the folder, without links in its path. ATTUNE_DISK_BOOK: the book, made by disk.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE, SYNC, CREATE, UNLINK, RENAME, SYNC_FOLDER };
enum state { BEGUN = 0, DONE, VOID };
enum moment { BEFORE = 1, AFTER = 2, POWER = 4 };

/* disk.py knows the places of the first fields by heart. */
struct book {
    uint64_t size;     /* of the whole book */
    uint64_t tail;     /* where the next entry goes */
    uint64_t last;     /* the newest entry, which may have been left half done; 0: none */
    uint64_t off;      /* the power is off: nobody gets any further */
    uint64_t syncs;    /* syncs begun */
    uint64_t die_at;   /* the sync at which to die; 0: none */
    uint64_t moment;   /* before or after it, and whether the power fails then, too */
    uint64_t died;     /* whether somebody did */
    uint64_t delay;    /* microseconds that a sync takes */
    uint64_t ready;
    pthread_mutex_t lock;
};

struct entry {
    uint32_t kind, state;
    uint64_t inode, offset, length; /* SYNC: offset is where the book ended as the sync began */
    uint64_t room;                  /* bytes of names and data after this, a multiple of eight */
    uint32_t name, other;           /* lengths of the names, each with its zero */
};

#define FIRST 4096

static struct book *book;
static char folder[PATH_MAX];
static size_t folder_length;

#define REAL(name) ((__typeof__(&name))real_##name)
#define KNOW(name) do { if (!real_##name) real_##name = dlsym(RTLD_NEXT, #name); } while (0)

static void *real_open, *real_openat, *real_write, *real_pwrite, *real_ftruncate, *real_truncate, *real_fsync,
    *real_fdatasync, *real_unlink, *real_unlinkat, *real_rename, *real_link, *real_sendfile, *real_copy_file_range,
    *real_pwritev2, *real_posix_fallocate;

ssize_t sendfile(int, int, off_t *, size_t);

static void stop(const char *why) {
    fprintf(stderr, "tests/faults/disk.c: %s\n", why);
    _exit(70);
}

__attribute__((constructor)) static void begin(void) {
    KNOW(open); KNOW(openat); KNOW(write); KNOW(pwrite); KNOW(ftruncate); KNOW(truncate); KNOW(fsync);
    KNOW(fdatasync); KNOW(unlink); KNOW(unlinkat); KNOW(rename); KNOW(link); KNOW(sendfile); KNOW(copy_file_range);
    KNOW(pwritev2); KNOW(posix_fallocate);
    const char *where = getenv("ATTUNE_DISK"), *name = getenv("ATTUNE_DISK_BOOK");
    if (!where || !name) return;
    folder_length = (size_t)snprintf(folder, sizeof folder, "%s/", where);
    int fd = REAL(open)(name, O_RDWR | O_CLOEXEC);
    struct stat found;
    if (fd < 0 || fstat(fd, &found)) stop("the book can't be opened");
    void *memory = mmap(NULL, (size_t)found.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) stop("the book can't be mapped");
    close(fd);
    struct book *mapped = memory;
    if (!mapped->ready) { /* the first process is alone */
        pthread_mutexattr_t how;
        pthread_mutexattr_init(&how);
        pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&mapped->lock, &how);
        mapped->ready = 1;
    }
    book = mapped;
}

/* --- the book */

static struct entry *at(uint64_t place) { return (struct entry *)((char *)book + place); }
static char *name_of(struct entry *e) { return (char *)(e + 1); }
static char *other_of(struct entry *e) { return name_of(e) + e->name; }
static char *data_of(struct entry *e) { return other_of(e) + e->other; }

/* What a process that was killed in the middle of its step left undecided: the files tell whether it was done. */
static void decide(struct entry *e) {
    struct stat found;
    int there = lstat(name_of(e), &found) == 0;
    e->state = DONE;
    if (e->kind == WRITE) {
        int fd = there && found.st_ino == e->inode ? REAL(open)(name_of(e), O_RDONLY | O_CLOEXEC) : -1;
        ssize_t got = fd < 0 ? -1 : pread(fd, data_of(e), e->length, (off_t)e->offset);
        if (fd >= 0) close(fd);
        e->length = got < 0 ? 0 : (uint64_t)got;
    } else if (e->kind == TRUNCATE) {
        e->state = there && found.st_ino == e->inode && (uint64_t)found.st_size == e->offset ? DONE : VOID;
    } else if (e->kind == CREATE) {
        e->state = there ? DONE : VOID;
        e->inode = there ? found.st_ino : 0;
    } else if (e->kind == UNLINK || e->kind == RENAME) {
        e->state = there && found.st_ino == e->inode ? VOID : DONE;
    }
}

static void lock(void) {
    if (pthread_mutex_lock(&book->lock) == EOWNERDEAD) pthread_mutex_consistent(&book->lock);
    if (book->off) {
        pthread_mutex_unlock(&book->lock);
        for (;;) pause();
    }
    if (book->last && at(book->last)->state == BEGUN) decide(at(book->last));
}

static void unlock(void) { pthread_mutex_unlock(&book->lock); }

static struct entry *enter(enum kind kind, enum state state, uint64_t inode, uint64_t offset, const char *name,
                           const char *other, const void *data, uint64_t length) {
    uint64_t place = book->tail, names = strlen(name) + 1 + strlen(other) + 1;
    uint64_t room = (names + length + 7) & ~7ULL;
    if (place + sizeof(struct entry) + room > book->size) stop("the book is full");
    struct entry *e = at(place);
    *e = (struct entry){kind, state, inode, offset, length, room, (uint32_t)strlen(name) + 1, (uint32_t)strlen(other) + 1};
    strcpy(name_of(e), name);
    strcpy(other_of(e), other);
    if (length) memcpy(data_of(e), data, length);
    __sync_synchronize();
    book->last = place;
    book->tail = place + sizeof(struct entry) + room;
    return e;
}

/* --- which files are ours */

static int ours(const char *path) { return book && !strncmp(path, folder, folder_length); }

/* The file a handle leads to, if it is a file (or the folder) of ours. */
static int ours_open(int fd, struct stat *found, char *path, int directory) {
    if (!book || fstat(fd, found) || !(S_ISREG(found->st_mode) || (directory && S_ISDIR(found->st_mode)))) return 0;
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 2);
    if (length < 0) return 0;
    path[length] = S_ISDIR(found->st_mode) ? '/' : 0;
    path[length + 1] = 0;
    return ours(path);
}

static const char *absolute(int dir, const char *path, char *room) {
    char base[PATH_MAX], link[40];
    if (path[0] == '/') return path;
    if (dir == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) return path;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
        ssize_t length = readlink(link, base, sizeof base - 1);
        if (length < 0) return path;
        base[length] = 0;
    }
    if (snprintf(room, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return path;
    return room;
}

/* --- what is done to them */

static int opened(int dir, const char *given, int flags, mode_t mode) {
    char room[PATH_MAX];
    const char *path = book ? absolute(dir, given, room) : given;
    KNOW(openat); /* other libraries begin before this one */
    if (!ours(path) || !(flags & (O_CREAT | O_TRUNC))) return REAL(openat)(dir, given, flags, mode);
    struct stat found;
    lock();
    int fresh = lstat(path, &found) != 0;
    struct entry *e = NULL;
    if (fresh && flags & O_CREAT) e = enter(CREATE, BEGUN, 0, 0, path, "", NULL, 0);
    else if (!fresh && flags & O_TRUNC) e = enter(TRUNCATE, BEGUN, found.st_ino, 0, path, "", NULL, 0);
    int fd = REAL(openat)(dir, given, flags, mode), why = errno;
    if (e && fd >= 0 && !fstat(fd, &found)) e->inode = found.st_ino;
    if (e) e->state = fd >= 0 ? DONE : VOID;
    unlock();
    errno = why;
    return fd;
}

#define MODE(flags) ({ mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); \
    mode = va_arg(rest, mode_t); va_end(rest); } mode; })

int open(const char *path, int flags, ...) { return opened(AT_FDCWD, path, flags, MODE(flags)); }
int open64(const char *path, int flags, ...) { return opened(AT_FDCWD, path, flags | O_LARGEFILE, MODE(flags)); }
int openat(int dir, const char *path, int flags, ...) { return opened(dir, path, flags, MODE(flags)); }
int openat64(int dir, const char *path, int flags, ...) { return opened(dir, path, flags | O_LARGEFILE, MODE(flags)); }

static ssize_t written(int fd, const void *data, size_t length, off_t offset, int here) {
    struct stat found;
    char path[PATH_MAX];
    if (!ours_open(fd, &found, path, 0))
        return here ? REAL(write)(fd, data, length) : REAL(pwrite)(fd, data, length, offset);
    lock();
    if (here) {
        fstat(fd, &found);
        offset = fcntl(fd, F_GETFL) & O_APPEND ? found.st_size : lseek(fd, 0, SEEK_CUR);
    }
    struct entry *e = enter(WRITE, BEGUN, found.st_ino, (uint64_t)offset, path, "", data, length);
    ssize_t done = here ? REAL(write)(fd, data, length) : REAL(pwrite)(fd, data, length, offset);
    int why = errno;
    e->length = done < 0 ? 0 : (uint64_t)done;
    e->state = DONE;
    unlock();
    errno = why;
    return done;
}

ssize_t write(int fd, const void *data, size_t length) { KNOW(write); return written(fd, data, length, 0, 1); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return written(fd, data, length, offset, 0); }
ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) { return written(fd, data, length, offset, 0); }

/* As some writes, one after the other: a power cut may come between any two of its parts. */
ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    struct stat found;
    char path[PATH_MAX];
    if (!ours_open(fd, &found, path, 0)) return REAL(pwritev2)(fd, parts, count, offset, flags);
    ssize_t done = 0;
    for (int part = 0; part < count; part++) {
        ssize_t more = written(fd, parts[part].iov_base, parts[part].iov_len, offset + done, 0);
        if (more < 0) return done ? done : -1;
        done += more;
        if ((size_t)more < parts[part].iov_len) break;
    }
    return done;
}

ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    return pwritev2(fd, parts, count, offset, flags);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    return pwritev2(fd, parts, count, offset, 0);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
    return pwritev2(fd, parts, count, offset, 0);
}

int ftruncate(int fd, off_t size) {
    struct stat found;
    char path[PATH_MAX];
    if (!ours_open(fd, &found, path, 0)) return REAL(ftruncate)(fd, size);
    lock();
    struct entry *e = enter(TRUNCATE, BEGUN, found.st_ino, (uint64_t)size, path, "", NULL, 0);
    int result = REAL(ftruncate)(fd, size), why = errno;
    e->state = result ? VOID : DONE;
    unlock();
    errno = why;
    return result;
}

int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

/* Room is made by growing the file: whoever asks for it keeps others from doing the same meanwhile. */
int posix_fallocate(int fd, off_t offset, off_t length) {
    struct stat found;
    char path[PATH_MAX];
    if (!ours_open(fd, &found, path, 0)) return REAL(posix_fallocate)(fd, offset, length);
    return found.st_size >= offset + length || !ftruncate(fd, offset + length) ? 0 : errno;
}

int posix_fallocate64(int fd, off_t offset, off_t length) { return posix_fallocate(fd, offset, length); }

int truncate(const char *given, off_t size) {
    char room[PATH_MAX];
    if (!ours(book ? absolute(AT_FDCWD, given, room) : given)) return REAL(truncate)(given, size);
    int fd = REAL(open)(given, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    int result = ftruncate(fd, size), why = errno;
    close(fd);
    errno = why;
    return result;
}

int truncate64(const char *path, off_t size) { return truncate(path, size); }

static void die_now(int power) {
    book->died = 1;
    if (power) book->off = 1;
    unlock();
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int synced(int fd, int (*real)(int)) {
    struct stat found;
    char path[PATH_MAX];
    if (!ours_open(fd, &found, path, 1)) return real(fd);
    lock();
    uint64_t from = book->tail, mine = ++book->syncs, delay = book->delay;
    int dies = mine == book->die_at;
    if (dies && book->moment & BEFORE) die_now(book->moment & POWER);
    if (delay) {
        unlock();
        usleep((useconds_t)delay);
        lock();
    }
    enter(S_ISDIR(found.st_mode) ? SYNC_FOLDER : SYNC, DONE, found.st_ino, from, path, "", NULL, 0);
    if (dies) die_now(book->moment & POWER);
    unlock();
    return 0;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

static int unlinked(int dir, const char *given, int flags) {
    char room[PATH_MAX];
    const char *path = book ? absolute(dir, given, room) : given;
    struct stat found;
    if (!ours(path) || flags & AT_REMOVEDIR) return REAL(unlinkat)(dir, given, flags);
    lock();
    struct entry *e = lstat(path, &found) ? NULL : enter(UNLINK, BEGUN, found.st_ino, 0, path, "", NULL, 0);
    int result = REAL(unlinkat)(dir, given, flags), why = errno;
    if (e) e->state = result ? VOID : DONE;
    unlock();
    errno = why;
    return result;
}

int unlink(const char *path) { return unlinked(AT_FDCWD, path, 0); }
int unlinkat(int dir, const char *path, int flags) { return unlinked(dir, path, flags); }

int rename(const char *given, const char *wanted) {
    char room[PATH_MAX], other_room[PATH_MAX];
    const char *from = book ? absolute(AT_FDCWD, given, room) : given;
    const char *to = book ? absolute(AT_FDCWD, wanted, other_room) : wanted;
    struct stat found;
    if (!ours(from) && !ours(to)) return REAL(rename)(given, wanted);
    if (!ours(from) || !ours(to)) stop("a file was moved into or out of the folder");
    lock();
    struct entry *e = lstat(from, &found) ? NULL : enter(RENAME, BEGUN, found.st_ino, 0, from, to, NULL, 0);
    int result = REAL(rename)(given, wanted), why = errno;
    if (e) e->state = result ? VOID : DONE;
    unlock();
    errno = why;
    return result;
}

/* A second name is a name that comes from nowhere. */
int link(const char *given, const char *wanted) {
    char room[PATH_MAX], other_room[PATH_MAX];
    const char *from = book ? absolute(AT_FDCWD, given, room) : given;
    const char *to = book ? absolute(AT_FDCWD, wanted, other_room) : wanted;
    struct stat found;
    if (!ours(from) && !ours(to)) return REAL(link)(given, wanted);
    if (!ours(from) || !ours(to)) stop("a file was linked into or out of the folder");
    lock();
    struct entry *e = lstat(from, &found) ? NULL : enter(RENAME, BEGUN, found.st_ino, 0, "", to, NULL, 0);
    int result = REAL(link)(given, wanted), why = errno;
    if (e) e->state = result ? VOID : DONE;
    unlock();
    errno = why;
    return result;
}

/* Copies inside the kernel would go past the book: whoever asks for one is told to copy by hand. */
ssize_t sendfile(int out, int in, off_t *offset, size_t length) {
    struct stat found;
    char path[PATH_MAX];
    if (ours_open(out, &found, path, 0)) { errno = EINVAL; return -1; }
    return REAL(sendfile)(out, in, offset, length);
}

ssize_t sendfile64(int out, int in, off_t *offset, size_t length) { return sendfile(out, in, offset, length); }

ssize_t copy_file_range(int in, off_t *from, int out, off_t *to, size_t length, unsigned flags) {
    struct stat found;
    char path[PATH_MAX];
    if (ours_open(out, &found, path, 0)) { errno = EXDEV; return -1; }
    return REAL(copy_file_range)(in, from, out, to, length, flags);
}
