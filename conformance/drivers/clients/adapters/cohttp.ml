(* cohttp with lwt, for line_driver.py. *)
let one_line = String.map (fun one -> if String.contains "\r\n\t" one then ' ' else one)

let get url =
  let open Lwt.Infix in
  Cohttp_lwt_unix.Client.get (Uri.of_string url) >>= fun (response, body) ->
  Cohttp_lwt.Body.to_string body >>= fun content ->
  let field name value head = head ^ "\n" ^ name ^ ": " ^ one_line value in
  let head = Cohttp.Header.fold field (Cohttp.Response.headers response) "\000" in
  let status = Cohttp.Code.code_of_status (Cohttp.Response.status response) in
  Lwt.return (Printf.sprintf "R %d %d %d\n%s%s" status (String.length head) (String.length content) head content)

let late () = Lwt.bind (Lwt_unix.sleep 5.) (fun () -> Lwt.fail_with "timed out")

let answer url =
  try Lwt_main.run (Lwt.pick [ get url; late () ])
  with error -> "E error\t" ^ one_line (Printexc.to_string error) ^ "\n"

let () =
  set_binary_mode_out stdout true;
  (Lwt.async_exception_hook := fun error -> prerr_endline (Printexc.to_string error));
  print_string ("V " ^ Sys.argv.(1) ^ "\n");
  flush stdout;
  try
    while true do
      print_string (answer (input_line stdin));
      flush stdout
    done
  with End_of_file -> ()
