/* The floor of trivial tasks: COUNT times /bin/true by posix_spawn, JOBS at once. */
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int left = atoi(argv[1]), jobs = atoi(argv[2]), running = 0, status;
  char *task[] = {"/bin/true", NULL};
  while (left > 0 || running > 0) {
    if (left > 0 && running < jobs) {
      if (posix_spawn(NULL, task[0], NULL, NULL, task, environ) != 0) return 1;
      left--, running++;
    } else {
      if (wait(&status) < 0 || status != 0) return 1;
      running--;
    }
  }
  return 0;
}
