// Package virtfusion is a client for the VirtFusion Global API, and implements the vocabulary of package provisioning on it.
//
// # First program
//
//	client, err := virtfusion.New("https://cp.example.com", provisioning.Secret(os.Getenv("VIRTFUSION_TOKEN")))
//	if err != nil {
//		return err
//	}
//	for server, err := range client.Servers.List(ctx, virtfusion.ListServersOptions{}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(server.ID, server.Name)
//	}
//
// The services of a Client are named as the panel's documentation groups its operations, and each method names the operation it calls: all 161 documented ones are
// here, and what a later panel adds is reached with Client.Do. A list that the panel pages is an iterator, one that it does not page is a slice.
//
// To sell servers, use the Provider: it runs unchanged on other panels, waits for what the panel does later, and together with provisioning.CreateOnce it never
// makes two servers for one order.
//
// # An order, step by step
//
// A customer is a user, found by your own number for him (UsersService.GetByExtRelation) or made (UsersService.Create). ServersService.Create allocates a
// server from a package in a hypervisor group. ServersService.Build installs an operating system and answers with the root password, and
// ServersService.WaitBuilt waits until the server is ready. Power calls and password resets answer with a queue id, for QueueService.Wait.
//
// # Errors
//
// Every error of a call is a *provisioning.Error. Ask it with errors.Is:
//
//	provisioning.Invalid       input that was refused before sending (Error.Status is 0), or by the panel (422)
//	provisioning.Unauthorized  the token is wrong, expired, or used from an address that is not on its list
//	provisioning.Forbidden     the token may not do this
//	provisioning.NotFound      the panel itself says that the record does not exist
//	provisioning.NoRoute       404 without the panel's own words: wrong address, a proxy, or a panel too old for the operation. Never read it as "gone"
//	provisioning.Conflict      409
//	provisioning.Locked        423: other tasks of the server wait or have failed, or it is set to Do Not Disturb
//	provisioning.Capacity      422 whose words speak of missing room. The words are not documented, so this is a heuristic
//	provisioning.Maintenance   503 in the panel's own words: the hypervisor is in maintenance
//	provisioning.RateLimited   429. The panel's documentation knows rate limits of tokens, but not how they show
//	provisioning.Unavailable   no usable answer: network, time limit, 5xx
//	provisioning.Mismatch      the answer is about another object than the one asked for
//	provisioning.Unexpected    an answer that is none of the documented ones
//
// and provisioning.ErrMaybeApplied says that a write may have been carried out although the call failed. Look before you repeat it.
//
// # What is repeated
//
// Each operation has a class, which the comment of its method names: read changes nothing, set gives the same end state when it is repeated (renaming, suspending, booting, deleting by id), once does
// not (creating, building, restarting, resetting a password). The class decides what happens after an unclear answer:
//
//	what happened                                                           read    set            once
//	provably not sent (dial, DNS, TLS handshake); 429                       retry   retry          retry
//	502, 503, 504, 520-524, reset, EOF, time limit of an attempt, cut body  retry   retry          MaybeApplied
//	other 5xx; 2xx whose body is missing or not the panel's JSON            error   MaybeApplied   MaybeApplied
//	3xx, 4xx, an answer that the operation declares as its own              that    that           that
//	Retry-After beyond the policy's limit or the deadline                   error, with RetryAfter set
//	context ended, attempts used up                                         error   MaybeApplied if an attempt may have been sent
//
// Doubt is sticky: once an attempt may have been applied, only success clears it. Declared as their own are the 503 of ControlStatus (a failed check) and the
// 503 of the power calls (maintenance).
//
// # What the panel really does
//
// A ServerState is the state of the installation and not of the power, which only GetServerOptions.RemoteState asks for. A failed build shows as state failed
// or as the flag buildFailed, and not necessarily as both. The field hypervisorId means a group when a server is created and a hypervisor everywhere else.
// Switches that are on when they are left out (the mail of a password reset, the parts of a package, the five minutes before a deletion) are always sent. The
// links between pages are not followed, because they may name an internal host. Memory and disk are counted in units of 2^20 and 2^30 bytes; that traffic is
// counted in 2^30 as well is a guess (BytesPerTrafficGB). Times without a zone are read as UTC, which is a guess too.
//
// # Versions, and what was verified
//
// The client follows the vendor's descriptions of 6.2 and 7.0, the pages of 7.1, and what integrations report. It was built and tested against the vendor's
// published example bodies and a simulated panel, never against a live one. Where a doc comment says guess, experimental or not documented, it means that.
// Operations that came with 7.1 say so, and older panels answer them with NoRoute.
//
// # Concurrency
//
// A Client and all that hangs on it is safe for concurrent use by any number of goroutines, and holds none itself. Answers belong to the caller.
package virtfusion
