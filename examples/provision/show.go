package main

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// screen prints what happens: one line for each thing, and on a terminal with a single order a bar below that moves.
type screen struct {
	words
	mu    sync.Mutex
	w     io.Writer
	live  bool
	start time.Time
	width int // of the longest key
	bar   bool
}

// print writes one line where the bar was.
func (s *screen) print(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	say(s.w, format+"\n", args...)
}

func (s *screen) wipe() {
	if s.bar {
		say(s.w, "\r\x1b[K")
		s.bar = false
	}
}

// progress prints what happens to one order.
type progress struct {
	*screen
	key  string
	last provisioning.Look
}

func (p *progress) line(what, text string) {
	p.print("%-*s %6.1fs  %-9s  %s", p.width, p.key, time.Since(p.start).Seconds(), what, text)
}

func (p *progress) stage(stage provisioning.CreateStage, id provisioning.ID) {
	switch stage {
	case provisioning.StagePlanned:
		p.line("planned", p.planned)
	case provisioning.StageCreated:
		p.line("created", "server "+string(id))
	case provisioning.StageMarked:
		p.line("marked", "the server carries the key of the order")
	case provisioning.StageBuilding:
		p.line("building", "the panel has accepted the installation")
	}
}

func (p *progress) state(s provisioning.State) {
	text := p.power
	if s == provisioning.StateUnknown {
		text = p.noPower
	}
	p.line(string(s), text)
}

// building shows one look at the installation.
func (p *progress) building(seen provisioning.Progress) {
	if !p.live {
		if !seen.Done && (seen.State != p.last.State || seen.Percent/25 != p.last.Percent/25) {
			p.line("building", "the panel says: "+seen.State+percent(seen.Percent))
		}
		p.last = seen.Look
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
	if !seen.Done {
		say(p.w, "%-*s %6.1fs  %-9s  [%s] %s%s", p.width, p.key, time.Since(p.start).Seconds(), "building", bar(seen), seen.State, percent(seen.Percent))
		p.bar = true
	}
}

func percent(n int) string {
	if n < 0 {
		return ""
	}
	return fmt.Sprintf(" %d %%", n)
}

const barWidth = 32

// bar fills up where the panel tells how far it is. Where it does not, a block moves one step with every look, which is all that is known.
func bar(seen provisioning.Progress) string {
	cells := []byte(strings.Repeat("-", barWidth))
	if seen.Percent >= 0 {
		return strings.Repeat("#", min(seen.Percent, 100)*barWidth/100) + string(cells[min(seen.Percent, 100)*barWidth/100:])
	}
	for i := range 4 {
		cells[(seen.Looks*2+i)%barWidth] = '#'
	}
	return string(cells)
}

func (p *progress) record(r *result) {
	if r.ospabErr != nil {
		p.line("ospab", "failed, see below; the server is not affected")
		return
	}
	p.line("ospab", fmt.Sprintf("record %s says %s", r.record.ID, r.record.Status))
}

// say prints. That nobody reads it is no reason to stop.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

// row is one line of a table.
type row struct{ name, value string }

func printTable(w io.Writer, title string, rows []row) {
	width := 0
	for _, r := range rows {
		width = max(width, len(r.name))
	}
	say(w, "\n%s\n", title)
	for _, r := range rows {
		say(w, "  %-*s  %s\n", width, r.name, r.value)
	}
}

// summary prints what became of an order: the server as a customer is shown it, and the record on the OSPAB panel.
func summary(w io.Writer, p *panels, r result) {
	if r.server.ID == "" {
		return
	}
	printTable(w, fmt.Sprintf("%s: server %s on %s", r.order.Key, r.server.ID, p.name), serverRows(r))
	if r.record.ID != "" {
		printTable(w, fmt.Sprintf("%s: record %s on the OSPAB panel", r.order.Key, r.record.ID), recordRows(p, r))
	}
}

func serverRows(r result) []row {
	i := r.server
	v4, nat, v6 := addresses(i)
	password := "not known to this run; reset it if nobody has it"
	if r.password != "" {
		password = r.password.Reveal()
	}
	return []row{
		{"Hostname", i.Hostname},
		{"State", string(i.State())},
		{"Location", orDash(i.Location)},
		{"Primary IP", orDash(primary(i))},
		{"IPv4", orDash(strings.Join(v4, ", "))},
		{"NAT IPv4", orDash(strings.Join(nat, ", "))},
		{"IPv6", orDash(strings.Join(v6, ", "))},
		{"Traffic", traffic(i)},
		{"vCPUs", orDash(i.VCPUs.String())},
		{"Memory", size(i.Memory)},
		{"Disk", size(i.Disk)},
		{"System", orDash(system(r))},
		{"Hypervisor", orDash(i.Host)},
		{"Hypervisor IP", hostAddress(i)},
		{"UUID", i.UUID},
		{"Root password", password},
	}
}

func recordRows(p *panels, r result) []row {
	sent := r.record.Record
	memory, disk := gb(sent.Memory), gb(sent.Disk)
	if p.row != nil {
		if stored, ok := p.row(r.record.ID); ok {
			memory += fmt.Sprintf(", which the panel has as ram = %d (MB)", stored.MemoryMB)
			disk += fmt.Sprintf(", which the panel has as disk = %d (GB)", stored.DiskGB)
		}
	}
	return []row{
		{"Name", sent.Key},
		{"Panel user", fmt.Sprintf("%d, who is customer %s of this shop", r.order.OSPAB.UserID, r.order.Owner.Ref)},
		{"Status", string(r.record.Status)},
		{"vCPUs", strconv.Itoa(sent.VCPUs)},
		{"Memory", memory},
		{"Disk", disk},
		{"System", sent.Image},
	}
}

// system is what the panel calls the operating system. Where it does not tell, it is what was ordered.
func system(r result) string {
	if r.server.Image == "" && r.image != "" {
		return r.image + ", as ordered"
	}
	return r.server.Image
}

// addresses sorts the addresses of a server into those of IPv4, those behind the hypervisor's NAT, and IPv6 subnets and addresses.
func addresses(i provisioning.Instance) (v4, nat, v6 []string) {
	for _, a := range i.Addresses {
		switch text := prefix(a.Prefix); {
		case a.Prefix.Addr().Is6():
			v6 = append(v6, text)
		case a.Kind == provisioning.AddressNAT:
			nat = append(nat, text)
		default:
			v4 = append(v4, text)
		}
	}
	return v4, nat, v6
}

// prefix drops the length from an IPv4 address: that of the network around it, or none.
func prefix(p netip.Prefix) string {
	if p.IsValid() && p.Addr().Is4() {
		return p.Addr().String()
	}
	return p.String()
}

func primary(i provisioning.Instance) string {
	if p := i.PrimaryAddress(); p.IsValid() {
		return prefix(p)
	}
	return ""
}

func hostAddress(i provisioning.Instance) string {
	if !i.HostAddress.IsValid() {
		return "-"
	}
	return i.HostAddress.String()
}

func traffic(i provisioning.Instance) string {
	t, told := i.Traffic.Get()
	allowance, limited := t.Allowance.Get()
	switch left, ok := t.Left(); {
	case told && t.Unlimited:
		return "unlimited"
	case !told || !limited:
		return "-"
	case ok:
		return gb(allowance) + ", " + gb(left) + " left"
	}
	return gb(allowance)
}

func size(b provisioning.Opt[provisioning.Bytes]) string {
	if v, ok := b.Get(); ok {
		return gb(v)
	}
	return "-"
}

// gb writes a size as the panels do, whose GB has 2^30 bytes.
func gb(b provisioning.Bytes) string {
	if n, ok := b.Whole(provisioning.GiB); ok {
		return fmt.Sprintf("%d GB", n)
	}
	if n, ok := b.Whole(provisioning.MiB); ok && b < 100*provisioning.GiB {
		return fmt.Sprintf("%d MB", n)
	}
	return fmt.Sprintf("%.1f GB", float64(b)/float64(provisioning.GiB))
}

func orDash(s string) string {
	return cmp.Or(s, "-")
}
