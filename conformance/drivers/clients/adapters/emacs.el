;; url.el of Emacs, for line_driver.py.
(require 'url)
(require 'url-http)
(setq url-proxy-services nil
      url-show-status nil
      url-max-redirections 0
      url-automatic-caching nil
      url-user-agent nil
      url-http-attempt-keepalives nil
      inhibit-message t
      backtrace-on-error-noninteractive nil)

(defun one-line (text)
  (replace-regexp-in-string "[\r\n\t]" " " text))

(defun head-of (text)
  "Return the reason phrase and the fields in TEXT, from a status line on."
  (let ((lines (split-string text "\r?\n" t)))
    (mapconcat #'one-line
               (cons (if (string-match "\\`HTTP/[^ ]* +[0-9]+ ?" (car lines))
                         (substring (car lines) (match-end 0))
                       "\0")
                     (cdr lines))
               "\n")))

(defvar failure nil "What went wrong while Emacs received; in a batch, that would end it.")
(setq command-error-function (lambda (data &rest _) (setq failure data)))

(defun received (url)
  "Return the buffer with the response of URL."
  (setq failure nil)
  (let* ((limit (+ 5 (float-time)))
         (done nil)
         (buffer (url-retrieve url (lambda (&rest _) (setq done (current-buffer))) nil t t)))
    (while (not (or done failure))
      (when (> (float-time) limit)
        (error "timed out"))
      (accept-process-output nil 0.05))
    (when failure
      (when (buffer-live-p buffer)
        (let ((process (get-buffer-process buffer)))
          (when process
            (delete-process process)))
        (kill-buffer buffer))
      (signal (car failure) (cdr failure)))
    done))

(defun answer (url)
  (let ((buffer (received url)))
    (unwind-protect
        (with-current-buffer buffer
          (set-buffer-multibyte nil)
          (let ((end (and (boundp 'url-http-end-of-headers) url-http-end-of-headers)))
            (unless (and end url-http-response-status)
              (error "no head of a response"))
            (let ((head (head-of (buffer-substring-no-properties (point-min) end)))
                  (content (buffer-substring-no-properties (min (1+ end) (point-max)) (point-max))))
              (format "R %d %d %d\n%s%s" url-http-response-status (length head) (length content)
                      head content))))
      (kill-buffer buffer))))

(defun say (text)
  "Write TEXT, whose characters are bytes, as it is."
  (send-string-to-terminal (string-make-unibyte text)))

(say (format "V %s\n" emacs-version))
(let (url)
  (while (setq url (ignore-errors (read-from-minibuffer "")))
    (say (condition-case failed
             (answer url)
           (error (format "E %s\t%s\n" (car failed) (one-line (error-message-string failed))))))))
