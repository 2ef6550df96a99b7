// Package solusvm2 works with the SolusVM 2 panel.
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
package solusvm2
