;; The module (web client) of Guile, for line_driver.py.
(use-modules (web client) (web response) (ice-9 rdelim) (rnrs bytevectors))
(set-port-encoding! (current-output-port) "ISO-8859-1")
(set-port-encoding! (current-input-port) "ISO-8859-1")

(define (one-line text)
  (string-map (lambda (one) (if (memv one '(#\newline #\return #\tab)) #\space one)) text))

(define (field pair)
  (let ((value (cdr pair)))
    (string-append "\n" (symbol->string (car pair)) ": " (one-line (if (string? value) value (object->string value))))))

(define (answer url)
  (call-with-values
      (lambda () (http-get url #:decode-body? #f #:keep-alive? #f))
    (lambda (response body)
      (let ((head (apply string-append (response-reason-phrase response) (map field (response-headers response))))
            (content (if body (list->string (map integer->char (bytevector->u8-list body))) "")))
        (string-append "R " (number->string (response-code response)) " " (number->string (string-length head)) " "
                       (number->string (string-length content)) "\n" head content)))))

(display (string-append "V " (version) "\n"))
(force-output)
(let loop ((url (read-line)))
  (unless (eof-object? url)
    (display
     (catch #t
       (lambda () (answer url))
       (lambda (key . rest) (string-append "E " (symbol->string key) "\t" (one-line (object->string rest)) "\n"))))
    (force-output)
    (loop (read-line))))
