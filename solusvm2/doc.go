// Package solusvm2 works with the SolusVM 2 panel: it receives the notifications of its event handlers, and is a client for its REST API.
//
// # Event handlers
//
// An event handler of the panel calls a URL (a webhook) whenever a chosen event occurs, no matter whether an administrator, a customer or your own call of
// the API caused it. NewEventHandler receives these calls. What it is built on is the vendor's manual; no captured call has been published, so what the
// manual leaves open is read leniently and kept in raw form beside the decoded one.
//
// What the panel does, and what follows:
//
//   - It sends POST with everything in the URL's query: fixed parameters about the compute resource, the server and its owner, and the user-defined ones.
//     There is no signature, no time, no delivery number and no name of the event. So enter one event handler for each event, with a constant parameter that
//     tells them apart; Event.Tag returns it.
//   - The only proof of origin is a secret among the user-defined parameters, together with the source address. Set EventOptions.Secrets and AllowFrom.
//   - The secret is part of the URL, and so in the access logs of every proxy on the way: switch the logging of queries off there, and change the secret now
//     and then. To change it without a gap, put the new one first in Secrets and keep the old one, enter the new one in every event handler, then remove the
//     old one.
//   - It does not check TLS certificates, so whoever sits on the path can read the secret and forge a notification. Use a private link where possible.
//   - It follows up to five redirects. Enter the final URL: after a 301 or 302 many HTTP clients send GET, and without the query. NewEventHandler accepts
//     POST only and never redirects, but a http.ServeMux in front of it does when the path differs by a slash at its end.
//   - A task of the panel ends as "Failed" when the answer is 4xx or 5xx. Repetition, order and time limits are not documented: expect each notification
//     never, once or several times, in any order. Store it, answer, and work afterwards; compare with the panel from time to time.
//   - An event is a hint. Before acting on it, read the server by its id from the API and compare its UUID; never delete or suspend anything on its word
//     alone. Which addresses were added or removed is not said: compare the server's addresses with those you know.
//
// Setting one up, as an administrator:
//
//  1. Make a secret, such as the output of "openssl rand -hex 16", and start the receiver with it.
//  2. Let the receiver print the values with NewEventSetup and EventSetup.WriteTo.
//  3. In the panel open Settings > Event Handlers > Add Webhook. Enter the unique name, the URL, the event and the JSON of the additional parameters, tick
//     Enabled, and save. It works from the next matching event on.
//  4. Cause the event once and look at the panel's task: it is done when the receiver stored the notification. "Failed" means it was refused; the receiver's
//     log says why.
//  5. To change, switch off or remove it, use the icons and the switch in its row. Changes take effect at once.
//
// The panel's API for event handlers is not known, so they cannot be set up by a program.
//
// Serve the handler with a http.Server that has ReadHeaderTimeout, ReadTimeout and WriteTimeout set; the handler cannot set them.
//
// # The REST API
//
//	client, err := solusvm2.New("https://solus.example.com", provisioning.Secret(os.Getenv("SOLUSVM2_TOKEN")))
//	if err != nil {
//		return err
//	}
//	for server, err := range client.Servers.List(ctx, solusvm2.ServerFilter{}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(server.ID, server.Name)
//	}
//
// The services of a Client are named after what they keep, and each method names the operation it calls. Lists are iterators; short lists that the panel does
// not page are slices. Operations that are not here are reached with Client.Do.
//
// A customer is a user of the panel, whose servers lie in projects. ServersService.Create orders a server by plan, location and version of an operating system,
// and answers with the server; the task that makes it is found with TasksService.List. Power calls and most other actions answer with a task, for
// TasksService.Wait. Some panels answer some actions without one: the task is then nil, and the server is what shows the result.
//
// # Roles
//
// A token may do what the role of its owner may do; Account.Get tells the roles. The built-in ones are ADMIN and CLIENT, panels may have others. What a role
// may not do is Forbidden ("This action is unauthorized."). Half of the API exists twice, for the node and for a project, and CLIENT has only the second:
//
//	for administrators                       for customers
//	Servers.List, Servers.Create             Servers.ListByProject, Servers.CreateInProject
//	Servers.CreateOnComputeResource          -
//	Plans.List and the other methods         Plans.ListByProject
//	SSHKeys.List and the other methods       SSHKeys.ListByProject
//	Users, Roles, LimitGroups, Settings      Account.Get
//	ComputeResources, IPBlocks, IPAddresses  -
//	Migrations, ActivityLogs                 -
//	Tasks                                    may be missing: Servers.WaitIdle
//
// All methods that take the id of a server work for a customer's own servers. The table is pieced together from clients that met a 403 and from what the calls
// are about; a panel's roles may be changed. A user may also be limited to source addresses, which looks like a bad token or a missing right. While a compute
// resource is in maintenance customers can do nothing with its servers: Maintenance, where the panel's words say so.
//
// # Errors
//
// Every error of a call is a *provisioning.Error. Ask it with errors.Is:
//
//	provisioning.Invalid       input that was refused before sending (Error.Status is 0), or by the panel (422)
//	provisioning.Unauthorized  the token is dead, the login was refused, or the address is not on the user's list
//	provisioning.Forbidden     the role may not do this
//	provisioning.NotFound      the panel itself says that the record does not exist
//	provisioning.NoRoute       no such address: the panel answers unknown ones with its HTML page, also with status 200. Never read it as "gone"
//	provisioning.Conflict      409
//	provisioning.Locked        423, or a 409 whose words speak of a running task
//	provisioning.Capacity      409 or 422 whose words speak of missing room
//	provisioning.Maintenance   403, 409, 422 or 503 whose words speak of maintenance
//	provisioning.RateLimited   429
//	provisioning.Unavailable   no usable answer: network, time limit, 5xx
//	provisioning.Mismatch      the answer is about another object than the one asked for
//	provisioning.Unexpected    an answer that is none of the documented ones
//
// and provisioning.ErrMaybeApplied says that a write may have been carried out although the call failed. Look before you repeat it. The words of refusals are
// not documented, so the kinds that rest on them are a heuristic.
//
// # What is repeated
//
// Each operation has a class: read changes nothing, set gives the same end state when it is repeated (PUT and PATCH of values, starting, stopping, suspending,
// resuming, deleting by id), once does not (creating, restarting, reinstalling, resizing, resetting a password, opening a console, snapshots and backups, adding
// addresses). The class decides what happens after an unclear answer:
//
//	what happened                                                           read    set            once
//	provably not sent (dial, DNS, TLS handshake); 429                       retry   retry          retry
//	401, with NewWithLogin                                                  log in once, repeat the attempt
//	502, 503, 504, 520-524, reset, EOF, time limit of an attempt, cut body  retry   retry          MaybeApplied
//	other 5xx; 2xx whose body is missing or not the panel's JSON            error   MaybeApplied   MaybeApplied
//	3xx, 4xx                                                                that    that           that
//	Retry-After beyond the policy's limit or the deadline                   error, with RetryAfter set
//	context ended, attempts used up                                         error   MaybeApplied if an attempt may have been sent
//
// Doubt is sticky: once an attempt may have been applied, only success clears it.
//
// # What the panel really does
//
// Suspension is a flag beside the state (Server.IsSuspended). While a task of a server is running its state may be the one from before. Memory is written in
// bytes and disk in GiB; traffic has units of its own, read as powers of 1024. The three calls that create a server use three sets of names, which
// CreateServerRequest hides. A password reset mails the owner of the token unless told not to, so that is always told. Searching for a user finds parts of
// addresses. The answer that opens a console is the only one that is not wrapped. The links between pages are not followed: they are absolute and may name
// another host. Listings may be abbreviated: addresses and settings are only sure in Servers.Get.
//
// # Versions, and what was verified
//
// The vendor's description of the API was not at hand. The client follows the vendor's own clients (the Go client of May 2024 and the WHMCS module), and where
// those are silent what other integrations do; such methods say so. It was built and tested against constructed answers and a simulated panel, never against
// a live one. Where a doc comment says guess, experimental, inferred or not documented, it means that. Operations that are known from one weak source only are
// not here.
//
// A Client is safe for concurrent use by any number of goroutines, and holds none itself. Answers belong to the caller.
package solusvm2
