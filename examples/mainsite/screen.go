package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

type ospabRecord = ospabpaneltest.Record

// screen prints what happens, a line for each thing, and a table of the services: below the lines while it changes, where a person looks at it, and at the end.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	live  bool
	start time.Time
	rows  []serviceDocument
	table int // how many lines of the table are on the terminal
}

// print prints a line, above the table.
func (s *screen) print(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	say(s.w, format+"\n", args...)
	s.draw()
}

// note prints what was done, and what came of it.
func (s *screen) note(what, format string, args ...any) {
	s.print("%5.1fs  %-26s  %s", time.Since(s.start).Seconds(), what, fmt.Sprintf(format, args...))
}

// update shows a service that has changed. Lines are for what a customer would notice; the table shows all of it.
func (s *screen) update(before, now serviceDocument) {
	s.mu.Lock()
	found := false
	for i := range s.rows {
		if s.rows[i].Key == now.Key {
			s.rows[i], found = now, true
		}
	}
	if !found {
		s.rows = append(s.rows, now)
	}
	s.mu.Unlock()
	if news := newsOf(before, now); news != "" {
		s.note("  "+now.Key, "     %s", news)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	s.draw()
}

// newsOf says what has changed, or nothing.
func newsOf(before, now serviceDocument) string {
	if serverText(before) == serverText(now) && recordText(before) == recordText(now) && before.AsDesired == now.AsDesired {
		return ""
	}
	if before.Desired != now.Desired {
		return "is to be " + string(now.Desired)
	}
	text := "server " + serverText(now) + ", record " + recordText(now)
	if now.AsDesired {
		text += ": as desired"
	}
	return text
}

// serverText is the server's id, and how it is, or what is done about it.
func serverText(d serviceDocument) string {
	switch {
	case d.Server == nil:
		return string(d.State)
	case d.State == engine.Ready:
		return fmt.Sprintf("%s %s", d.Server.ID, d.Server.State)
	}
	return fmt.Sprintf("%s %s", d.Server.ID, d.State)
}

func recordText(d serviceDocument) string {
	switch {
	case d.Record == nil:
		return "-"
	case d.Record.ID == "" || d.Record.State != engine.Ready:
		return strings.TrimSpace(string(d.Record.ID) + " " + string(d.Record.State))
	}
	return fmt.Sprintf("%s %s", d.Record.ID, cmp.Or(string(d.Record.Status), "not acknowledged"))
}

// finish prints the table for good.
func (s *screen) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	s.live = false
	say(s.w, "\n%s", s.text(lastWidth))
}

// wipe removes the table from the terminal.
func (s *screen) wipe() {
	if s.table > 0 {
		say(s.w, "\x1b[%dA\x1b[J", s.table)
		s.table = 0
	}
}

func (s *screen) draw() {
	if !s.live || len(s.rows) == 0 {
		return
	}
	text := "\n" + s.text(liveWidth)
	s.table = strings.Count(text, "\n")
	say(s.w, "%s", text)
}

// The widths of the table. One that wraps could not be wiped, and not every terminal is wider.
const (
	liveWidth = 79
	lastWidth = 160
)

func (s *screen) text(width int) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	say(t, "ORDER\tDESIRED\tSERVER\tOSPAB RECORD\tWHY IT IS NOT AS DESIRED\n")
	for _, d := range s.rows {
		say(t, "%s\t%s\t%s\t%s\t%s\n", d.Key, d.Desired, serverText(d), recordText(d), d.Why)
	}
	_ = t.Flush() // a builder takes everything
	var short strings.Builder
	for line := range strings.Lines(b.String()) {
		runes := []rune(strings.TrimSpace(line))
		if len(runes) > width {
			runes = append(runes[:width-3], []rune("...")...)
		}
		short.WriteString(string(runes) + "\n")
	}
	return short.String()
}
