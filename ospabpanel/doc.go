// Package ospabpanel is a client of the OSPAB panel (panel.ospab.host): Sync pushes records of VPS to it with the main site's key, UserClient acts for one
// panel user, and Registrar is the panel behind provisioning.Registrar.
//
// The panel keeps records. The main site makes VPS on its hypervisors, and tells the panel about them so that customers see them there; nothing in Sync touches
// a VPS. The main site is the source of truth, and the panel sends nothing back, although its users can start and stop VPS there.
//
//	sync, err := ospabpanel.NewFromEnv(os.Getenv) // OSPAB_PANEL_URL, VPS_SYNC_API_KEY
//	vps, err := sync.Create(ctx, ospabpanel.CreateRequest{
//		UserID: 5, Name: "order-1042", CPUCores: 2, Memory: 4 * provisioning.GiB, Disk: 40 * provisioning.GiB, OS: "Debian 12",
//	})
//	_, err = sync.UpdateStatus(ctx, vps.ID, ospabpanel.StatusRunning) // when it was seen running
//	err = sync.Delete(ctx, vps.ID)                                    // when it is gone from the hypervisor
//
// # What this is built on
//
// Nobody has tried this package on a live panel. It follows the panel's manuals for the main site's developer (version 1.0 of 2025-10-27) and, where these are
// silent, an older public version of the panel's code; what is a guess says so. The public history contradicts itself about whether the sync API still exists:
// the manuals call it ready, the main site's own notes of the same week say that pushing was removed. A panel without the route is therefore a state to reckon
// with. It answers 404 in plain text, which is Kind NoRoute and never NotFound: it says nothing about any record.
//
// # What happens to a call
//
// Create, Restart, Reboot, Start, Stop and Register are sent once; UpdateStatus and Delete give the same end state when repeated; the rest only reads.
//
//	what happened                                         reads          UpdateStatus, Delete   sent once
//	not sent (dial, DNS, TLS handshake), or 429           again          again                  again
//	401 with a user's token                               with a new token, once
//	502, 503, 504, 520-524, connection lost, no answer    again          again                  ErrMaybeApplied
//	another 5xx, or a success that is not the panel's     error          ErrMaybeApplied        ErrMaybeApplied
//	3xx, other 4xx                                        error          error                  error
//
// There are 4 attempts of 20 s with growing pauses in between. ErrMaybeApplied means: look, do not repeat. For a create there is no way to look with the sync
// key; a FindingRegistrar, which has tokens of the panel's users, finds the record by its name. What is refused has a Kind: Unauthorized is a wrong key,
// Invalid is bad input, found here or there, NotFound is a record that the panel itself says it does not have.
//
// A failure here must never undo work on a hypervisor. Store what should be on the panel and send it again later; provisioning/engine does that.
//
// # Traps
//
//   - The user id is the panel's, not the main site's: PanelUserID and UserResolver.
//   - Memory goes in MB and disk in GB. Both are Bytes here, converted in one place and never rounded: 8 is refused, 8*provisioning.GiB is right.
//   - The panel compares no versions. Calls for one VPS must not overlap, and a status is sent when it was observed, not after a timer.
//   - The key may touch every customer's record, and unknown ids are not refused. Take ids only from Create or a list, and keep them per panel: BaseURL.
//   - Names are not unique on the panel. Put your own order number into the name, or a lost create cannot be found again.
//   - The IP address of a record cannot be set yet.
//
// Package ospabpaneltest simulates the panel for tests.
package ospabpanel
