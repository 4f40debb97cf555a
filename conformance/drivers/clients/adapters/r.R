# The package curl of R, for line_driver.py.
if (!requireNamespace("curl", quietly = TRUE)) {
  cat("N R has no package curl\n")
  quit()
}
urls <- file("stdin", "r")
answers <- pipe("cat", "wb")
one_line <- function(text) gsub("[\r\n\t]", " ", text)

fetch <- function(url) {
  answer <- curl::curl_fetch_memory(url, curl::new_handle(timeout = 5, followlocation = FALSE, noproxy = "*"))
  lines <- strsplit(gsub("\r", "", rawToChar(answer$headers)), "\n")[[1]]
  head <- c(as.raw(0), unlist(lapply(lines[-1], function(line) charToRaw(paste0("\n", one_line(line))))))
  c(charToRaw(sprintf("R %d %d %d\n", answer$status_code, length(head), length(answer$content))), head, answer$content)
}

writeBin(charToRaw(paste0("V ", packageVersion("curl"), "\n")), answers)
flush(answers)
while (length(url <- readLines(urls, 1)) > 0) {
  whole <- tryCatch(fetch(url), error = function(error) {
    charToRaw(paste0("E ", class(error)[1], "\t", one_line(conditionMessage(error)), "\n"))
  })
  writeBin(whole, answers)
  flush(answers)
}
