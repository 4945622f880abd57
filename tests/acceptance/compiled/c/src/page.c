#include "page.h"

#include <stdio.h>
#include <string.h>

void answer(int out, const char *body) {
    dprintf(out,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
            strlen(body), body);
}
