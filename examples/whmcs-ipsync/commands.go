package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hvpanels/hvpanels/solusvm2"
)

// eventTag marks the notifications of the handler that -print-setup describes.
const eventTag = "ip_changed"

// setup prints what an administrator enters in the panel.
func (c config) setup(stdout io.Writer) error {
	problems := []error{c.missing(envSecrets)}
	if c.url == "" {
		problems = append(problems, errors.New("-url is not set: it is the address at which the panel reaches this program"))
	}
	if err := errors.Join(problems...); err != nil {
		return usageError{err}
	}
	target := c.url
	if u, err := url.Parse(target); err == nil && strings.Trim(u.Path, "/") == "" {
		target = strings.TrimRight(target, "/") + c.path
	}
	s, err := solusvm2.NewEventSetup(c.secrets(), solusvm2.EventSetupRequest{Name: c.name, URL: target, Event: solusvm2.EventAdditionalIP, Tag: eventTag})
	if err != nil {
		return usageError{settingError(err, map[string]string{"Secrets": envSecrets, "Name": "-name", "URL": "-url"})}
	}
	if _, err := s.WriteTo(stdout); err != nil {
		return err
	}
	say(stdout, `
The additional parameters hold the secret: enter them, and do not keep this text.
Put the address from which the management node calls into %s. In the list of event handlers, changes take effect at once:
  change       the icon for it in the row of the handler, then Save
  switch off   the switch in the row: blue is enabled, grey is disabled
  delete       the icon for it in the row, then Delete
Try it: add an additional address to a server. The panel's task must end as done, and the log of this program must say "changed".
To change the secret without a gap: put the new one first in %s and keep the old one, restart this program, enter what
-print-setup prints then, and remove the old one.
`, envAllowFrom, envSecrets)
	return nil
}

// importMap makes a file the map, and lets a receiver try again what it could not find there before.
func (c config) importMap(stdout io.Writer) error {
	in, err := openInbox(c.state)
	if err != nil {
		return err
	}
	services := newServiceMap(c.state)
	added, changed, removed, err := services.replace(c.importFile)
	if err != nil {
		return usageError{fmt.Errorf("-import: %w", err)}
	}
	all, err := services.all()
	if err != nil {
		return err
	}
	say(stdout, "The map in %s has %d servers now: %d added, %d changed, %d removed.\n", c.state, len(all), added, changed, removed)
	tried, err := in.retry(func(id solusvm2.ServerID) bool {
		_, known := all[id]
		return known
	})
	if tried > 0 {
		say(stdout, "%d that waited for a person will be tried again.\n", tried)
	}
	return err
}

func (c config) retryFailed(stdout io.Writer) error {
	in, err := openInbox(c.state)
	if err != nil {
		return err
	}
	tried, err := in.retry(func(solusvm2.ServerID) bool { return true })
	say(stdout, "%d that waited for a person will be tried again by the receiver.\n", tried)
	return err
}

func (c config) listFailed(stdout io.Writer) error {
	in, err := openInbox(c.state)
	if err != nil {
		return err
	}
	all, err := in.failures()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		say(stdout, "Nothing waits for a person.\n")
		return nil
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	say(table, "SERVER\tSINCE\tREASON\n")
	for _, n := range all {
		say(table, "%d\t%s\t%s\n", n.server(), n.Failed.Format(time.DateTime), n.Reason)
	}
	return table.Flush()
}
