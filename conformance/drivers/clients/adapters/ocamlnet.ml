(* Nethttp_client of ocamlnet, for line_driver.py. *)
let one_line = String.map (fun one -> if String.contains "\r\n\t" one then ' ' else one)

let get url =
  let pipeline = new Nethttp_client.pipeline in
  pipeline#set_options
    {
      pipeline#get_options with
      Nethttp_client.connection_timeout = 5.;
      maximum_connection_failures = 0;
      maximum_message_errors = 0;
    };
  let call = new Nethttp_client.get url in
  call#set_redirect_mode Nethttp_client.Do_not_redirect;
  pipeline#add call;
  pipeline#run ();
  (match call#status with
  | `Http_protocol_error error -> raise error
  | `Unserved -> failwith "unserved"
  | _ -> ());
  let content = call#response_body#value in
  let field head (name, value) = head ^ "\n" ^ name ^ ": " ^ one_line value in
  let head = List.fold_left field (one_line call#response_status_text) call#response_header#fields in
  Printf.sprintf "R %d %d %d\n%s%s" call#response_status_code (String.length head) (String.length content) head content

let answer url = try get url with error -> "E error\t" ^ one_line (Netexn.to_string error) ^ "\n"

let () =
  set_binary_mode_out stdout true;
  print_string ("V " ^ Sys.argv.(1) ^ "\n");
  flush stdout;
  try
    while true do
      print_string (answer (input_line stdin));
      flush stdout
    done
  with End_of_file -> ()
