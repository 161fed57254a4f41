/* The rows of fixtures, as rules and indicators have them. */
#include "../prove/fixture.c"
