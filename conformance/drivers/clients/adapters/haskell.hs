{-# LANGUAGE OverloadedStrings #-}
-- http-client and HTTP of Haskell, for line_driver.py.
import Control.Exception (SomeException, catch)
import Control.Monad (unless)
import qualified Data.ByteString.Char8 as B
import qualified Data.ByteString.Lazy.Char8 as L
import qualified Data.CaseInsensitive as CI
import Data.Maybe (fromJust)
import qualified Network.HTTP as H
import qualified Network.HTTP.Client as C
import qualified Network.HTTP.Types as T
import qualified Network.Stream as N
import qualified Network.URI as U
import System.Environment (getArgs)
import System.IO

oneLine :: B.ByteString -> B.ByteString
oneLine = B.map (\one -> if one `elem` ("\r\n\t" :: String) then ' ' else one)

answer :: Int -> B.ByteString -> [(B.ByteString, B.ByteString)] -> B.ByteString -> B.ByteString
answer status reason fields content = B.concat ["R ", B.pack numbers, "\n", whole, content]
  where
    whole = B.concat (oneLine reason : concat [["\n", name, ": ", oneLine value] | (name, value) <- fields])
    numbers = unwords (map show [status, B.length whole, B.length content])

failed :: String -> B.ByteString
failed text = B.concat ["E error\t", oneLine (B.pack text), "\n"]

fetch :: String -> String -> IO B.ByteString
fetch "http-client" url = do
  let once = C.defaultManagerSettings {C.managerRetryableException = const False}
  manager <- C.newManager once {C.managerResponseTimeout = C.responseTimeoutMicro 5000000}
  request <- C.parseRequest url
  let plain = request {C.redirectCount = 0, C.decompress = const False, C.requestHeaders = [("Connection", "close")]}
  response <- C.httpLbs plain manager
  let fields = [(CI.original name, value) | (name, value) <- C.responseHeaders response]
      status = C.responseStatus response
  return (answer (T.statusCode status) (T.statusMessage status) fields (L.toStrict (C.responseBody response)))
fetch _ url = do
  result <- H.simpleHTTP (H.mkRequest H.GET (fromJust (U.parseURI url))) :: IO (Either N.ConnError (H.Response B.ByteString))
  return $ case result of
    Left problem -> failed (show problem)
    Right response ->
      let (a, b, c) = H.rspCode response
          fields = [(B.pack (show name), B.pack value) | H.Header name value <- H.rspHeaders response]
       in answer (a * 100 + b * 10 + c) (B.pack (H.rspReason response)) fields (H.rspBody response)

main :: IO ()
main = do
  [client, version] <- getArgs
  hSetBinaryMode stdout True
  hSetBuffering stdout (BlockBuffering Nothing)
  putStrLn ("V " ++ version) >> hFlush stdout
  let loop = do
        ended <- isEOF
        unless ended $ do
          url <- getLine
          whole <- fetch client url `catch` \problem -> return (failed (show (problem :: SomeException)))
          B.putStr whole >> hFlush stdout
          loop
  loop
