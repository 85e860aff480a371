/*
 * Links between network namespaces, for kernels that have no netem. Every end is a TUN device in a namespace of its own;
 * this program is the router between them. A packet goes through its sender's `up` pipe and its receiver's `down` pipe.
 * A pipe has a rate, a drop-tail queue in bytes, a delay, jitter (which never reorders) and random loss, and keeps its
 * time by calculation: being woken late changes when a packet leaves, not how many a second can.
 *
 * Orders come as lines on stdin and are answered with one line each:
 *   end NAME NETNS ADDRESS
 *   shape NAME up|down BITS_PER_SECOND DELAY_US JITTER_US LOSS_PPM QUEUE_BYTES    rate 0: without limit
 *   seed NUMBER
 *   ping FROM TO PERIOD_US                                                        small packets that only exist in here
 *   begin                                                                         forgets what was counted
 *   stats                                                                         what was counted since, as JSON
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ENDS = 16, MAX_PINGS = 16384, PACKET_BYTES = 2048, PING_BYTES = 64, READS_IN_TURN = 64 };

struct packet {
  struct packet *next;
  uint64_t due;
  int to;           /* end that it goes to */
  int ping_back;    /* a ping's way back; -1: no ping */
  uint64_t sent;    /* a ping's start */
  int length;
  unsigned char bytes[PACKET_BYTES];
};

struct pipe {
  double rate;
  uint64_t delay, jitter, loss, queue;
  uint64_t busy, last, state;
  uint64_t packets, bytes, dropped, lost;
  struct packet *head, *tail;
};

struct end {
  char name[32];
  int tun;
  uint32_t address;
  struct pipe up, down;
};

static struct end ends[MAX_ENDS];
static int end_count;
static struct packet *spare;
static int timer;
static uint64_t armed;
static int ping_from = -1, ping_to = -1;
static uint64_t ping_period, ping_next;
static uint32_t ping_us[MAX_PINGS];
static int ping_count, ping_sent, ping_lost;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* splitmix64: one stream a pipe, so that one pipe's traffic does not change another's luck */
static uint64_t chance(struct pipe *pipe, uint64_t below) {
  uint64_t z = (pipe->state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return (z ^ (z >> 31)) % below;
}

static struct packet *take_packet(void) {
  struct packet *packet = spare;
  if (packet) spare = packet->next;
  else packet = malloc(sizeof *packet);
  if (!packet) exit(1);
  packet->next = NULL;
  packet->ping_back = -1;
  return packet;
}

static void give_packet(struct packet *packet) {
  packet->next = spare;
  spare = packet;
}

static void discard(struct packet *packet) {
  if (packet->ping_back >= 0) ping_lost++;
  give_packet(packet);
}

static void enter(struct pipe *pipe, struct packet *packet, uint64_t now) {
  if (pipe->loss && chance(pipe, 1000000) < pipe->loss) {
    pipe->lost++;
    discard(packet);
    return;
  }
  uint64_t start = pipe->busy > now ? pipe->busy : now;
  if (pipe->rate > 0) {
    double waiting = (double)(start - now) * pipe->rate / 8e9;
    if (waiting + packet->length > (double)pipe->queue) {
      pipe->dropped++;
      discard(packet);
      return;
    }
    start += (uint64_t)(packet->length * 8e9 / pipe->rate);
    pipe->busy = start;
  }
  packet->due = start + pipe->delay + (pipe->jitter ? chance(pipe, pipe->jitter) : 0);
  if (packet->due < pipe->last) packet->due = pipe->last;
  pipe->last = packet->due;
  if (pipe->tail) pipe->tail->next = packet;
  else pipe->head = packet;
  pipe->tail = packet;
  pipe->packets++;
  pipe->bytes += (uint64_t)packet->length;
}

static struct packet *leave(struct pipe *pipe, uint64_t now) {
  struct packet *packet = pipe->head;
  if (!packet || packet->due > now) return NULL;
  pipe->head = packet->next;
  if (!pipe->head) pipe->tail = NULL;
  packet->next = NULL;
  return packet;
}

static void arrive(struct packet *packet, uint64_t now) {
  if (packet->ping_back < 0) {
    ssize_t written = write(ends[packet->to].tun, packet->bytes, (size_t)packet->length);
    (void)written; /* the device is down only while the namespace goes */
    give_packet(packet);
  } else if (packet->to == ping_from) {
    if (ping_count < MAX_PINGS) ping_us[ping_count++] = (uint32_t)((now - packet->sent) / 1000);
    give_packet(packet);
  } else {
    int back = packet->ping_back;
    packet->ping_back = packet->to;
    struct pipe *up = &ends[packet->to].up;
    packet->to = back;
    enter(up, packet, now);
  }
}

static void send_ping(uint64_t now) {
  struct packet *packet = take_packet();
  packet->length = PING_BYTES;
  packet->to = ping_to;
  packet->ping_back = ping_from;
  packet->sent = now;
  ping_sent++;
  enter(&ends[ping_from].up, packet, now);
}

static uint64_t earlier(uint64_t one, const struct packet *packet) {
  return packet && (!one || packet->due < one) ? packet->due : one;
}

/* Moves everything that is due, and says when the next is. */
static void run(void) {
  uint64_t now = now_ns(), next = 0;
  if (ping_from >= 0) {
    for (; ping_next <= now; ping_next += ping_period) send_ping(ping_next);
    next = ping_next;
  }
  for (int at = 0; at < end_count; at++) {
    /* Counted from when it was due: what comes late does not begin its next way late. */
    for (struct packet *packet; (packet = leave(&ends[at].up, now));) enter(&ends[packet->to].down, packet, packet->due);
  }
  for (int at = 0; at < end_count; at++) {
    for (struct packet *packet; (packet = leave(&ends[at].down, now));) arrive(packet, packet->due);
  }
  for (int at = 0; at < end_count; at++) next = earlier(earlier(next, ends[at].up.head), ends[at].down.head);
  if (next == armed) return;
  armed = next;
  struct itimerspec when = {{0, 0}, {(time_t)(next / 1000000000ull), (long)(next % 1000000000ull)}};
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void read_end(struct end *from) {
  for (int turn = 0; turn < READS_IN_TURN; turn++) {
    struct packet *packet = take_packet();
    ssize_t length = read(from->tun, packet->bytes, PACKET_BYTES);
    uint32_t address = 0;
    if (length >= 20) memcpy(&address, packet->bytes + 16, 4);
    int to = 0;
    while (to < end_count && ends[to].address != address) to++;
    if (length < 20 || packet->bytes[0] >> 4 != 4 || to == end_count) {
      give_packet(packet);
      if (length <= 0) return;
      continue;
    }
    packet->length = (int)length;
    packet->to = to;
    enter(&from->up, packet, now_ns());
  }
}

static int find_end(const char *name) {
  for (int at = 0; at < end_count; at++) if (!strcmp(ends[at].name, name)) return at;
  return -1;
}

/* The device stays open here and lies there: a descriptor keeps the namespace that it was made in. */
static int open_tun(const char *netns) {
  char path[128];
  snprintf(path, sizeof path, "/run/netns/%s", netns);
  int own = open("/proc/self/ns/net", O_RDONLY), other = open(path, O_RDONLY);
  if (own < 0 || other < 0 || setns(other, CLONE_NEWNET)) return -1;
  int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  struct ifreq request;
  memset(&request, 0, sizeof request);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  strcpy(request.ifr_name, "link0");
  int failed = tun < 0 || ioctl(tun, TUNSETIFF, &request);
  if (setns(own, CLONE_NEWNET)) failed = 1;
  close(own);
  close(other);
  return failed ? -1 : tun;
}

static int add_end(int poll, const char *name, const char *netns, const char *address) {
  struct end *end = &ends[end_count];
  if (end_count == MAX_ENDS || inet_pton(AF_INET, address, &end->address) != 1) return 0;
  end->tun = open_tun(netns);
  if (end->tun < 0) return 0;
  snprintf(end->name, sizeof end->name, "%s", name);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)end_count + 2};
  end_count++;
  return !epoll_ctl(poll, EPOLL_CTL_ADD, end->tun, &event);
}

static void clear_counts(void) {
  for (int at = 0; at < end_count; at++) {
    struct pipe *pipes[] = {&ends[at].up, &ends[at].down};
    for (int k = 0; k < 2; k++) pipes[k]->packets = pipes[k]->bytes = pipes[k]->dropped = pipes[k]->lost = 0;
  }
  ping_count = ping_sent = ping_lost = 0;
}

static void print_pipe(const char *name, const struct pipe *pipe) {
  printf("\"%s\":{\"packets\":%llu,\"bytes\":%llu,\"dropped\":%llu,\"lost\":%llu}", name,
         (unsigned long long)pipe->packets, (unsigned long long)pipe->bytes, (unsigned long long)pipe->dropped,
         (unsigned long long)pipe->lost);
}

static void print_stats(void) {
  printf("{\"ends\":{");
  for (int at = 0; at < end_count; at++) {
    printf("%s\"%s\":{", at ? "," : "", ends[at].name);
    print_pipe("up", &ends[at].up);
    printf(",");
    print_pipe("down", &ends[at].down);
    printf("}");
  }
  printf("},\"pings\":%d,\"pingsLost\":%d,\"pingUs\":[", ping_sent, ping_lost);
  for (int at = 0; at < ping_count; at++) printf("%s%u", at ? "," : "", ping_us[at]);
  printf("]}\n");
}

static int shape(const char *name, const char *way, double rate, const unsigned long long *numbers) {
  int at = find_end(name);
  if (at < 0) return 0;
  struct pipe *pipe = strcmp(way, "up") ? &ends[at].down : &ends[at].up;
  pipe->rate = rate;
  pipe->delay = numbers[0] * 1000;
  pipe->jitter = numbers[1] * 1000;
  pipe->loss = numbers[2];
  pipe->queue = numbers[3];
  return 1;
}

static void obey(int poll, const char *line) {
  char one[32], two[64], three[64];
  double rate;
  unsigned long long numbers[4];
  int done = 1;
  if (sscanf(line, "end %31s %63s %63s", one, two, three) == 3) done = add_end(poll, one, two, three);
  else if (sscanf(line, "shape %31s %63s %lf %llu %llu %llu %llu", one, two, &rate, &numbers[0], &numbers[1],
                  &numbers[2], &numbers[3]) == 7) done = shape(one, two, rate, numbers);
  else if (sscanf(line, "seed %llu", &numbers[0]) == 1) {
    for (int at = 0; at < end_count; at++) {
      ends[at].up.state = numbers[0] * 1000 + (uint64_t)at * 2;
      ends[at].down.state = numbers[0] * 1000 + (uint64_t)at * 2 + 1;
    }
  } else if (sscanf(line, "ping %31s %63s %llu", one, two, &numbers[0]) == 3) {
    ping_from = find_end(one);
    ping_to = find_end(two);
    ping_period = numbers[0] * 1000;
    ping_next = now_ns();
    done = ping_from >= 0 && ping_to >= 0 && ping_period > 0;
    if (!done) ping_from = -1;
  } else if (!strcmp(line, "begin")) clear_counts();
  else if (!strcmp(line, "stats")) {
    print_stats();
    fflush(stdout);
    return;
  } else done = 0;
  puts(done ? "ok" : "no");
  fflush(stdout);
}

int main(void) {
  struct sched_param first = {.sched_priority = 10};
  /* Without it the timing is worse on a busy machine, and still that of the calculation. */
  sched_setscheduler(0, SCHED_FIFO, &first);
  prctl(PR_SET_TIMERSLACK, 1);
  int poll = epoll_create1(0);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event orders = {.events = EPOLLIN, .data.u32 = 0}, ticks = {.events = EPOLLIN, .data.u32 = 1};
  if (poll < 0 || timer < 0) return 1;
  epoll_ctl(poll, EPOLL_CTL_ADD, 0, &orders);
  epoll_ctl(poll, EPOLL_CTL_ADD, timer, &ticks);
  static char text[4096];
  size_t length = 0;
  for (;;) {
    struct epoll_event events[MAX_ENDS + 2];
    int count = epoll_wait(poll, events, MAX_ENDS + 2, -1);
    for (int at = 0; at < count; at++) {
      uint32_t source = events[at].data.u32;
      uint64_t ticked;
      if (source > 1) read_end(&ends[source - 2]);
      else if (source == 1) {
        if (read(timer, &ticked, sizeof ticked) > 0) armed = 0;
      } else {
        ssize_t got = read(0, text + length, sizeof text - 1 - length);
        if (got <= 0) return 0;
        length += (size_t)got;
        text[length] = 0;
        for (char *stop; (stop = strchr(text, '\n'));) {
          *stop = 0;
          obey(poll, text);
          length -= (size_t)(stop + 1 - text);
          memmove(text, stop + 1, length + 1);
        }
      }
    }
    run();
  }
}
