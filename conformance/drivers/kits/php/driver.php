<?php
// A driver: it answers the messages of httplib-kit with what a client in PHP does.
//
//   php driver.php [FILE [ARGUMENT]]
//
// FILE, by default client.php in this directory, defines NAME, version() and fetch($url), which returns status, reason,
// fields and content, or throws.  Nothing here has to be changed for another client.

/** A client that is not installed. */
class NotInstalled extends Exception
{
}

// One character for each byte, as the protocol has it; null stays null.
function octets($bytes)
{
    return $bytes === null ? null : iconv('ISO-8859-1', 'UTF-8', (string) $bytes);
}

function causes(Throwable $error): array
{
    $found = [];
    while ($error = $error->getPrevious()) {
        $found[] = octets(get_class($error) . ': ' . $error->getMessage());
    }
    return $found;
}

function outcome(string $url): array
{
    try {
        [$status, $reason, $fields, $content] = fetch($url);
    } catch (Throwable $error) {
        return ['error' => [
            'class' => get_class($error),
            'bases' => array_values(class_parents($error)),
            'message' => octets($error->getMessage()),
            'causes' => causes($error),
        ]];
    }
    return ['value' => [
        'type' => 'response',
        'status' => $status,
        'reason' => octets($reason),
        'headers' => $fields === null ? null : array_map(fn ($pair) => array_map('octets', $pair), $fields),
        'body' => octets($content),
    ]];
}

function answer(array $message, ?string $absent): array
{
    switch ($message['type']) {
        case 'start':
            return $absent === null
                ? ['name' => NAME, 'version' => version(), 'ops' => ['fetch']]
                : ['error' => ['class' => 'NotInstalled', 'message' => $absent]];
        case 'run':
            return ['trace' => array_map(
                fn ($op) => ['id' => $op['id']]
                    + (($op['call'] ?? '') === 'fetch' ? outcome($message['url']) : ['unsupported' => true]),
                $message['ops']
            )];
        case 'release':
            return [];
        default:
            return ['unsupported' => $message['type']];
    }
}

ini_set('display_errors', 'stderr');
$file = $argv[1] ?? __DIR__ . '/client.php';
$absent = null;
try {
    require $file;
    outcome('http://127.0.0.1:1/'); // loads the client before the first case
} catch (NotInstalled $error) {
    $absent = $error->getMessage();
}
while (($line = fgets(STDIN)) !== false) {
    $message = json_decode($line, true);
    if ($message['type'] === 'stop') {
        break;
    }
    fwrite(STDOUT, json_encode(answer($message, $absent) + ['serial' => $message['serial']]) . "\n");
}
