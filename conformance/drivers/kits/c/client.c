/* The client that lines.h serves: libcurl.  Replace it by yours.
 *
 *   cc -o client client.c -lcurl && python3 line_driver.py NAME ./client
 */
#include <curl/curl.h>

#include "lines.h"

static size_t take_content(char *data, size_t size, size_t count, void *response)
{
    append(&((struct response *)response)->content, data, size * count);
    return size * count;
}

/* A line of a head: a status line begins a new one. */
static size_t take_line(char *data, size_t size, size_t count, void *into)
{
    struct octets *head = &((struct response *)into)->head;
    size_t length = size * count, end = length;

    while (end && strchr("\r\n", data[end - 1]))
        end--;
    if (length > 5 && !memcmp(data, "HTTP/", 5)) {
        char *reason = memchr(data, ' ', end);
        reason = reason ? memchr(reason + 1, ' ', data + end - reason - 1) : NULL;
        head->size = 0;
        if (reason)
            append_line(head, reason + 1, data + end - reason - 1);
    } else if (end) {
        append(head, "\n", 1);
        append_line(head, data, end);
    }
    return length;
}

static const char *fetch(const char *url, struct response *response)
{
    static char error[CURL_ERROR_SIZE + 64], text[CURL_ERROR_SIZE];
    CURL *client = curl_easy_init();
    long status = -1;

    text[0] = '\0';
    curl_easy_setopt(client, CURLOPT_URL, url);
    curl_easy_setopt(client, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(client, CURLOPT_TIMEOUT, 5L);
    curl_easy_setopt(client, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(client, CURLOPT_WRITEFUNCTION, take_content);
    curl_easy_setopt(client, CURLOPT_WRITEDATA, response);
    curl_easy_setopt(client, CURLOPT_HEADERFUNCTION, take_line);
    curl_easy_setopt(client, CURLOPT_HEADERDATA, response);
    CURLcode code = curl_easy_perform(client);
    curl_easy_getinfo(client, CURLINFO_RESPONSE_CODE, &status);
    response->status = (int)status;
    curl_easy_cleanup(client);
    if (code == CURLE_OK)
        return NULL;
    snprintf(error, sizeof error, "CURLcode\t(%d) %s", code, text[0] ? text : curl_easy_strerror(code));
    return error;
}

int main(void)
{
    curl_global_init(CURL_GLOBAL_ALL);
    return serve(curl_version_info(CURLVERSION_NOW)->version, fetch);
}
