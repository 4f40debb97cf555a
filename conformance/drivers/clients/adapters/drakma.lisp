;; Drakma under SBCL, for line_driver.py.
(require :asdf)
(let ((*standard-output* *error-output*))
  (handler-case (handler-bind ((warning #'muffle-warning)) (asdf:load-system :drakma))
    (error ()
      (format sb-sys:*stdout* "N SBCL has no system drakma~%")
      (finish-output sb-sys:*stdout*)
      (sb-ext:exit))))
(setf drakma:*drakma-default-external-format* :latin-1)
(setf sb-impl::*default-external-format* :latin-1)
(defvar *answers* (sb-sys:make-fd-stream 1 :output t :external-format :latin-1 :buffering :full))

(defun one-line (text)
  (substitute-if #\Space (lambda (one) (member one '(#\Newline #\Return #\Tab))) (princ-to-string text)))

(defun answer (url)
  (multiple-value-bind (body status fields uri stream close reason)
      (drakma:http-request url :force-binary t :redirect nil :connection-timeout 5 :close t :proxy nil)
    (declare (ignore uri stream close))
    (let ((head (format nil "~a~{~a~}" (one-line (or reason ""))
                        (loop for (name . value) in fields
                              collect (format nil "~%~a: ~a" name (one-line value)))))
          (content (map 'string #'code-char (or body #()))))
      (format nil "R ~a ~a ~a~%~a~a" status (length head) (length content) head content))))

(format *answers* "V ~a~%" (asdf:component-version (asdf:find-system :drakma)))
(finish-output *answers*)
(loop for url = (read-line *standard-input* nil) while url do
  (write-string (handler-case (answer url)
                  (error (error) (format nil "E ~a~a~a~%" (type-of error) #\Tab (one-line error))))
                *answers*)
  (finish-output *answers*))
