<?php
// The client that driver.php drives: PHP's streams.  Replace it by yours.

const NAME = 'streams';
const FEATURES = ['timeout'];

function version(): string
{
    return PHP_VERSION;
}

// Return status, reason, fields and content: no redirect, and an error status is a response.
// The stream reads until the connection ends, so it asks the server to close, and no connection is kept.
function exchange(Asked $asked): array
{
    $http_response_header = [];
    $options = [
        'method' => $asked->method,
        'follow_location' => 0,
        'ignore_errors' => true,
        'timeout' => $asked->timeout,
        'protocol_version' => 1.1,
        'header' => ['Connection: close', ...$asked->lines()],
    ];
    if ($asked->body !== null) {
        $options['content'] = $asked->body;
    }
    $content = @file_get_contents($asked->url, false, stream_context_create(['http' => $options]));
    if ($content === false) {
        throw new Exception(error_get_last()['message'] ?? 'no reason is given');
    }
    return [...head($http_response_header), $content];
}

function release(): void
{
}

// Return status, reason and fields of the last head among these lines.
function head(array $lines): array
{
    [$status, $reason, $fields] = [null, '', []];
    foreach ($lines as $line) {
        if (preg_match('~^HTTP/\S+ +(\d+) ?(.*)$~', $line, $match)) {
            [$status, $reason, $fields] = [(int) $match[1], $match[2], []];
        } elseif (strpos($line, ':') !== false) {
            [$name, $value] = explode(':', $line, 2);
            $fields[] = [$name, trim($value)];
        }
    }
    return [$status, $reason, $fields];
}
