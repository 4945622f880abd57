#ifndef PAGE_H
#define PAGE_H

/* Writes an HTTP answer with `body` to the descriptor `out`. */
void answer(int out, const char *body);

#endif
