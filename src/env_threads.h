/* env_threads.h - work shared among a few threads that wait for it
 *
 *     static void work(void* context, int32_t from, int32_t to);       // does units [from, to)
 *     env_threads_run(4, 1000, work, context);                         // all of [0, 1000), on at most 4 threads
 *
 * The calling thread is one of the threads, and env_threads_run returns when all units are done. Each thread begins with a share of its
 * own, so that its memory stays in its cache, and then takes what others have not begun. A thread that the system does not run
 * therefore delays nobody, unless it has begun a piece.
 *
 * Each module has one pool. Its threads are started when they are first needed; where the system refuses one, there are fewer. They
 * watch for work for some microseconds, and then sleep. A second run at the same time, or one from within a run, happens on its
 * calling thread alone. A forked child has none of its parent's threads, and starts its own.
 *
 * Results must not depend on who does what: units write to memory of their own, or between env_threads_lock and env_threads_unlock.
 * Without threads (neither POSIX nor Windows, or ENV_NO_THREADS) everything happens on the calling thread.
 */
#ifndef ENV_THREADS_H
#define ENV_THREADS_H

#include "env.h"

#if defined(_WIN32)
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#elif defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#elif !defined(ENV_NO_THREADS)
#define ENV_NO_THREADS
#endif

/* The process: a forked child has another. */
static inline int64_t env_process(void) {
#if defined(__unix__) || defined(__APPLE__)
    return (int64_t)getpid();
#else
    return 1; /* there is no fork */
#endif
}

typedef void (*EnvWork)(void* context, int32_t from, int32_t to);

#ifdef ENV_NO_THREADS

static inline void env_threads_lock(void) {}
static inline void env_threads_unlock(void) {}
static inline void env_threads_run(int32_t threads, int32_t units, EnvWork work, void* context) {
    (void)threads;
    work(context, 0, units);
}
static inline void env_threads_end(void) {}

#else

#ifdef __cplusplus
#include <atomic>
#define ENV_ATOMIC(type) std::atomic<type>
using std::atomic_compare_exchange_strong;
using std::atomic_fetch_add;
using std::atomic_load;
using std::atomic_load_explicit;
using std::atomic_store;
using std::memory_order_relaxed;
#else
#include <stdatomic.h>
#define ENV_ATOMIC(type) _Atomic(type)
#endif

#define ENV_MOST_THREADS 256 /* that work at the same time, the caller's among them */
#define ENV_PIECES 4         /* of a thread's share, each taken as a whole */
#define ENV_SPINS 2000       /* looks for work before a thread sleeps: 10 to 50 microseconds */

/* --- locks and conditions of either system ---------------------------------------------------------------------------------- */

#if defined(_WIN32)
typedef SRWLOCK EnvMutex;
typedef CONDITION_VARIABLE EnvCondition;
#define ENV_MUTEX SRWLOCK_INIT
#define ENV_CONDITION CONDITION_VARIABLE_INIT
static inline void env__lock(EnvMutex* mutex) { AcquireSRWLockExclusive(mutex); }
static inline bool env__try_lock(EnvMutex* mutex) { return TryAcquireSRWLockExclusive(mutex) != 0; }
static inline void env__unlock(EnvMutex* mutex) { ReleaseSRWLockExclusive(mutex); }
static inline void env__sleep(EnvCondition* condition, EnvMutex* mutex) {
    SleepConditionVariableSRW(condition, mutex, INFINITE, 0);
}
static inline void env__wake(EnvCondition* condition) { WakeAllConditionVariable(condition); }
#else
typedef pthread_mutex_t EnvMutex;
typedef pthread_cond_t EnvCondition;
#define ENV_MUTEX PTHREAD_MUTEX_INITIALIZER
#define ENV_CONDITION PTHREAD_COND_INITIALIZER
static inline void env__lock(EnvMutex* mutex) { pthread_mutex_lock(mutex); }
static inline bool env__try_lock(EnvMutex* mutex) { return pthread_mutex_trylock(mutex) == 0; }
static inline void env__unlock(EnvMutex* mutex) { pthread_mutex_unlock(mutex); }
static inline void env__sleep(EnvCondition* condition, EnvMutex* mutex) { pthread_cond_wait(condition, mutex); }
static inline void env__wake(EnvCondition* condition) { pthread_cond_broadcast(condition); }
#endif

/* Tells the processor that this is a loop that waits. */
static inline void env__relax(void) {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
    __builtin_ia32_pause();
#elif defined(__GNUC__) && defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

/* --- the pool ---------------------------------------------------------------------------------------------------------------- */

/* A thread's share of the units: how many of its pieces nobody has taken yet, in the low half; the number of the run in the high half, so
 * that a late thread takes no piece of another run than it saw. */
typedef struct EnvShare {
    ENV_ATOMIC(uint64_t) left;
    char padding[56]; /* a cache line each */
} EnvShare;

typedef struct EnvPool {
    EnvMutex running; /* held by the one run */
    EnvMutex mutex;   /* of the two conditions and `quit` */
    EnvMutex user;    /* of env_threads_lock */
    EnvCondition work_is_here, all_is_done;
    ENV_ATOMIC(int64_t) process; /* that the threads belong to; 0: none yet */
    ENV_ATOMIC(int32_t) threads; /* started */
    ENV_ATOMIC(int32_t) sleeping;
    bool quit;
#if defined(_WIN32)
    HANDLE handles[ENV_MOST_THREADS];
#else
    pthread_t handles[ENV_MOST_THREADS];
#endif
    /* the run */
    EnvShare shares[ENV_MOST_THREADS];
    ENV_ATOMIC(uint64_t) run;  /* its number, and in the low half how many threads may work */
    ENV_ATOMIC(int32_t) to_do; /* pieces that are not done */
    int32_t parts, units;
    EnvWork work;
    void* context;
} EnvPool;

static EnvPool env__pool; /* made ready by env__pool_here */

/* How many pieces a share of `size` units has, and where share p begins. */
static inline int32_t env__pieces(int32_t size) { return size < ENV_PIECES ? size : ENV_PIECES; }
static inline int32_t env__share_start(const EnvPool* pool, int32_t p) {
    return (int32_t)((int64_t)pool->units * p / pool->parts);
}

/* Takes and does pieces of run `number` until none is left: those of share `me` first. */
static inline void env__work(EnvPool* pool, int32_t me, uint64_t number, int32_t parts) {
    for (int32_t k = 0; k < parts; k++) {
        const int32_t p = (me + k) % parts;
        EnvShare* share = &pool->shares[p];
        uint64_t left = atomic_load(&share->left);
        while (left >> 32 == number && (uint32_t)left > 0) {
            if (!atomic_compare_exchange_strong(&share->left, &left, left - 1)) continue; /* it has loaded `left` anew */
            /* the run cannot end before this piece is done: from here its fields stay as they are */
            const int32_t first = env__share_start(pool, p), size = env__share_start(pool, p + 1) - first;
            const int32_t pieces = env__pieces(size), piece = pieces - (int32_t)(uint32_t)left;
            pool->work(pool->context, first + (int32_t)((int64_t)size * piece / pieces),
                       first + (int32_t)((int64_t)size * (piece + 1) / pieces));
            if (atomic_fetch_add(&pool->to_do, -1) == 1) {
                env__lock(&pool->mutex);
                env__wake(&pool->all_is_done);
                env__unlock(&pool->mutex);
            }
            left = atomic_load(&share->left);
        }
    }
}

/* What thread `me` of the pool does, 1 to ENV_MOST_THREADS - 1, until env_threads_end. */
static inline void env__thread(EnvPool* pool, int32_t me) {
    uint64_t seen = 0;
    for (;;) {
        uint64_t run = seen;
        for (int32_t k = 0; k < ENV_SPINS && (run = atomic_load(&pool->run)) == seen; k++) env__relax();
        if (run == seen) {
            env__lock(&pool->mutex);
            atomic_fetch_add(&pool->sleeping, 1);
            while (!pool->quit && (run = atomic_load(&pool->run)) == seen) env__sleep(&pool->work_is_here, &pool->mutex);
            atomic_fetch_add(&pool->sleeping, -1);
            const bool quit = pool->quit;
            env__unlock(&pool->mutex);
            if (quit) return;
        }
        seen = run;
        if (me < (int32_t)(uint32_t)run) env__work(pool, me, run >> 32, (int32_t)(uint32_t)run);
    }
}

#if defined(_WIN32)
static DWORD WINAPI env__main(void* me) {
    env__thread(&env__pool, (int32_t)(intptr_t)me);
    return 0;
}
static inline bool env__start(EnvPool* pool, int32_t me) {
    pool->handles[me] = CreateThread(NULL, 0, env__main, (void*)(intptr_t)me, 0, NULL);
    return pool->handles[me] != NULL;
}
static inline void env__join(EnvPool* pool, int32_t me) {
    WaitForSingleObject(pool->handles[me], INFINITE);
    CloseHandle(pool->handles[me]);
}
#else
static void* env__main(void* me) {
    env__thread(&env__pool, (int32_t)(intptr_t)me);
    return NULL;
}
static inline bool env__start(EnvPool* pool, int32_t me) {
#ifdef SIG_SETMASK /* signals go to the program's own threads: Ctrl-C to Python's main thread */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
#endif
    const bool started = pthread_create(&pool->handles[me], NULL, env__main, (void*)(intptr_t)me) == 0;
#ifdef SIG_SETMASK
    pthread_sigmask(SIG_SETMASK, &before, NULL);
#endif
    return started;
}
static inline void env__join(EnvPool* pool, int32_t me) { pthread_join(pool->handles[me], NULL); }
#endif

/* The pool of this process: in a forked child a new one, as its threads, and whoever held its locks, stayed with the parent. */
static inline EnvPool* env__pool_here(void) {
    EnvPool* pool = &env__pool;
    const int64_t here = env_process();
    int64_t home = atomic_load(&pool->process);
    while (home != here) {
        if (home != -1 && atomic_compare_exchange_strong(&pool->process, &home, (int64_t)-1)) {
            const EnvMutex mutex = ENV_MUTEX;
            const EnvCondition condition = ENV_CONDITION;
            pool->running = pool->mutex = pool->user = mutex;
            pool->work_is_here = pool->all_is_done = condition;
            atomic_store(&pool->threads, 0);
            atomic_store(&pool->sleeping, 0);
            pool->quit = false;
            atomic_store(&pool->process, here);
            return pool;
        }
        home = atomic_load(&pool->process);
    }
    return pool;
}

/* --- for users ---------------------------------------------------------------------------------------------------------------- */

/* What a unit adds to memory that others add to as well stands between these two. */
static inline void env_threads_lock(void) { env__lock(&env__pool_here()->user); }
static inline void env_threads_unlock(void) { env__unlock(&env__pool.user); }

/* Does units [0, units) on at most `threads` threads, in pieces: work(context, from, to). */
static inline void env_threads_run(int32_t threads, int32_t units, EnvWork work, void* context) {
    if (threads > ENV_MOST_THREADS) threads = ENV_MOST_THREADS;
    if (threads > units) threads = units;
    EnvPool* pool = threads > 1 ? env__pool_here() : NULL;
    if (!pool || !env__try_lock(&pool->running)) { /* another run has the pool */
        work(context, 0, units);
        return;
    }
    int32_t started = atomic_load(&pool->threads);
    while (started + 1 < threads && env__start(pool, started + 1)) started++;
    atomic_store(&pool->threads, started);
    pool->parts = started + 1 < threads ? started + 1 : threads;
    pool->units = units;
    pool->work = work;
    pool->context = context;
    const uint64_t number = (atomic_load(&pool->run) >> 32) + 1;
    int32_t pieces = 0;
    for (int32_t p = 0; p < pool->parts; p++) {
        const int32_t mine = env__pieces(env__share_start(pool, p + 1) - env__share_start(pool, p));
        atomic_store(&pool->shares[p].left, number << 32 | (uint64_t)mine);
        pieces += mine;
    }
    atomic_store(&pool->to_do, pieces);
    atomic_store(&pool->run, number << 32 | (uint64_t)pool->parts);
    if (pool->parts > 1 && atomic_load(&pool->sleeping) > 0) {
        env__lock(&pool->mutex);
        env__wake(&pool->work_is_here);
        env__unlock(&pool->mutex);
    }
    env__work(pool, 0, number, pool->parts);
    for (int32_t k = 0; k < ENV_SPINS && atomic_load(&pool->to_do) > 0; k++) env__relax();
    if (atomic_load(&pool->to_do) > 0) { /* somebody has begun a piece */
        env__lock(&pool->mutex);
        while (atomic_load(&pool->to_do) > 0) env__sleep(&pool->all_is_done, &pool->mutex);
        env__unlock(&pool->mutex);
    }
    env__unlock(&pool->running);
}

/* Ends the threads of the pool, unless a run has them; the next run starts new ones. */
static inline void env_threads_end(void) {
    EnvPool* pool = env__pool_here();
    if (!env__try_lock(&pool->running)) return;
    env__lock(&pool->mutex);
    pool->quit = true;
    env__wake(&pool->work_is_here);
    env__unlock(&pool->mutex);
    for (int32_t me = 1; me <= atomic_load(&pool->threads); me++) env__join(pool, me);
    atomic_store(&pool->threads, 0);
    pool->quit = false;
    env__unlock(&pool->running);
}

#if defined(__GNUC__)
/* The threads end with the program, or with the library that has started them. */
__attribute__((destructor)) static void env__threads_at_exit(void) { env_threads_end(); }
#endif

#endif
#endif
