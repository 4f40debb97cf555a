/* The side of the client for line_driver.py: it reads URLs and answers with responses and errors.
 *
 * A client calls serve() with its version and a function that fills a response, or returns the text of an error.
 * Nothing here has to be changed for another client.
 */
#ifndef LINES_H
#define LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct octets {
    char *data;
    size_t size;
};

struct response {
    int status;          /* -1 if it is not reported */
    struct octets head;  /* the reason phrase, or one NUL, and then each field after a line end */
    struct octets content;
};

static void append(struct octets *to, const void *data, size_t size)
{
    to->data = realloc(to->data, to->size + size + 1);
    if (to->data == NULL)
        abort();
    memcpy(to->data + to->size, data, size);
    to->size += size;
    to->data[to->size] = '\0';
}

/* Append a line of the head; what would end the line is written as a blank. */
static void append_line(struct octets *head, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        append(head, strchr("\r\n\t", text[i]) && text[i] ? " " : &text[i], 1);
}

typedef const char *fetch_function(const char *url, struct response *response);

/* Answer each URL on standard input; fetch returns NULL, or "class<TAB>message" of an error. */
static int serve(const char *version, fetch_function *fetch)
{
    char url[4096];

    printf("V %s\n", version);
    fflush(stdout);
    while (fgets(url, sizeof url, stdin)) {
        struct response response = {-1, {NULL, 0}, {NULL, 0}};
        url[strcspn(url, "\n")] = '\0';
        const char *error = fetch(url, &response);
        if (error) {
            printf("E %s\n", error);
        } else {
            if (response.status < 0)
                printf("R -");
            else
                printf("R %d", response.status);
            printf(" %zu %zu\n", response.head.size, response.content.size);
            fwrite(response.head.data, 1, response.head.size, stdout);
            fwrite(response.content.data, 1, response.content.size, stdout);
        }
        fflush(stdout);
        free(response.head.data);
        free(response.content.data);
    }
    return 0;
}

#endif
