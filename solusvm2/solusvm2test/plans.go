package solusvm2test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Units of plans.
const (
	mebibyte = int64(provisioning.MiB)
	minRAM   = 128 * mebibyte
)

// plan is a plan, and the copy of it that a server has: with what custom_plan replaced.
type plan struct {
	ID             int64            `json:"id"`
	Name           string           `json:"name"`
	Virtualization string           `json:"virtualization"`
	StorageType    string           `json:"storageType"`
	ImageFormat    string           `json:"imageFormat"`
	RAM            int64            `json:"ram"`  // bytes
	Swap           int64            `json:"swap"` // bytes
	Disk           int64            `json:"disk"` // GiB
	VCPU           int64            `json:"vcpu"`
	VCPUUnits      int64            `json:"vcpuUnits"`
	VCPULimit      int64            `json:"vcpuLimit"` // percent of a core
	IOPriority     int64            `json:"ioPriority"`
	Limits         map[string]limit `json:"limits"`
	ResetPolicy    string           `json:"resetPolicy"`
	TrafficType    string           `json:"trafficType"`
	Default        bool             `json:"default"`
	Hidden         bool             `json:"hidden"`
	NoSnapshots    bool             `json:"noSnapshots"`
	NoBackups      bool             `json:"noBackups"`
	NoExtraIPs     bool             `json:"noExtraIps"`
	Incremental    bool             `json:"incremental"`
	Increments     int64            `json:"increments"`
	Netfilter      string           `json:"netfilter"`
	Position       float64          `json:"position"`
	Tokens         [6]float64       `json:"tokens"` // prices, in the order of tokenNames
	BackupPrice    float64          `json:"backupPrice"`
	Locations      []int64          `json:"locations"` // where it is offered; none means everywhere, and so with the next two
	Versions       []int64          `json:"versions"`
	Applications   []int64          `json:"applications"`
	Created        time.Time        `json:"created"`
}

// limit is one limit of a plan.
type limit struct {
	Enabled bool   `json:"is_enabled"`
	Limit   int64  `json:"limit"`
	Unit    string `json:"unit"`
}

var tokenNames = [6]string{
	"tokens_per_hour", "tokens_per_month", "ip_tokens_per_hour", "ip_tokens_per_month", "iso_image_tokens_per_hour", "iso_image_tokens_per_month",
}

var (
	rateUnits    = []string{"Kbps", "Mbps", "Gbps"}
	trafficUnits = []string{"KiB", "MiB", "GiB", "TiB", "PiB"}
)

// limitUnits lists the limits of a plan with the units they may have, the usual one first.
var limitUnits = map[string][]string{
	"disk_bandwidth": {"Bps"}, "disk_iops": {"iops"}, "backups_number": {"units"},
	"network_incoming_bandwidth": rateUnits, "network_outgoing_bandwidth": rateUnits, "network_reduce_bandwidth": rateUnits,
	"network_incoming_traffic": trafficUnits, "network_outgoing_traffic": trafficUnits, "network_total_traffic": trafficUnits,
}

// Plan describes a plan to add.
type Plan struct {
	Name            string
	MemoryMiB       int64
	DiskGiB         int64
	VCPUs           int64
	TotalTrafficGiB int64  // in a month, both directions; 0 is no limit
	Virtualization  string // "kvm" when empty, or "vz"
	Hidden          bool   // not offered to customers
	NoSnapshots     bool
	NoBackups       bool
	NoExtraIPs      bool
}

// AddPlan adds a plan and returns its id.
func (p *Panel) AddPlan(in Plan) int64 {
	return view(p, func(c *call) int64 { return c.addPlan(c.now, in) })
}

func newPlan() *plan {
	p := &plan{
		Virtualization: "kvm", StorageType: "fb", ImageFormat: "qcow2", VCPUUnits: 1000, VCPULimit: 100, IOPriority: 4, Limits: map[string]limit{},
		ResetPolicy: "never", TrafficType: "separate", Netfilter: "full", Increments: 3,
	}
	for name, units := range limitUnits {
		p.Limits[name] = limit{Unit: units[0]}
	}
	return p
}

func (st *state) addPlan(now time.Time, in Plan) int64 {
	p := newPlan()
	p.ID, p.Created, p.Name, p.RAM, p.Disk, p.VCPU = st.next("plan"), now, in.Name, in.MemoryMiB*mebibyte, in.DiskGiB, in.VCPUs
	p.Hidden, p.NoSnapshots, p.NoBackups, p.NoExtraIPs = in.Hidden, in.NoSnapshots, in.NoBackups, in.NoExtraIPs
	if in.Virtualization == "vz" {
		p.Virtualization, p.StorageType, p.ImageFormat = "vz", "vz", "ploop"
	}
	if in.TotalTrafficGiB > 0 {
		p.TrafficType = "total"
		p.Limits["network_total_traffic"] = limit{Enabled: true, Limit: in.TotalTrafficGiB, Unit: "GiB"}
	}
	st.Plans[p.ID] = p
	return p.ID
}

func planOperations() []operation {
	return []operation{
		{"listPlans", "GET /plans", admins, (*call).listPlans},
		{"createPlan", "POST /plans", admins, (*call).createPlan},
		{"deletePlans", "DELETE /plans", admins, (*call).deletePlans},
		{"getPlan", "GET /plans/{id}", admins, (*call).getPlan},
		{"updatePlan", "PUT /plans/{id}", admins, (*call).updatePlan},
		{"patchPlan", "PATCH /plans/{id}", admins, (*call).patchPlan},
		{"deletePlan", "DELETE /plans/{id}", admins, (*call).deletePlan},
	}
}

// listPlans shows hidden plans too.
func (c *call) listPlans() answer {
	return page(c, slices.DeleteFunc(sorted(c.Plans), func(p *plan) bool {
		return !c.found(p.Name) || !c.matches("storage_type", p.StorageType) || !c.matches("image_format", p.ImageFormat) || !c.matchesID("disk", p.Disk)
	}), c.planJSON)
}

func (c *call) listProjectPlans() answer {
	pr, a := c.findProject()
	if pr == nil {
		return a
	}
	return page(c, slices.DeleteFunc(sorted(c.Plans), func(p *plan) bool { return p.Hidden }), c.planJSON)
}

func (c *call) getPlan() answer {
	p := find(c, c.Plans)
	if p == nil {
		return c.lost("Plan")
	}
	return ok(c.planJSON(p))
}

// readParams reads the sizes. The ranges are those of the vendor's Terraform provider.
func (p *plan) readParams(f *form) {
	p.Disk = f.int("disk", p.Disk, 1, math.MaxInt32)
	p.RAM = f.int("ram", p.RAM, minRAM, math.MaxInt64)
	p.Swap = f.count("swap", p.Swap)
	p.VCPU = f.int("vcpu", p.VCPU, 1, 64)
	p.VCPUUnits = f.int("vcpu_units", p.VCPUUnits, 8, 500_000)
	p.VCPULimit = f.int("vcpu_limit", p.VCPULimit, 10, 6400)
	p.IOPriority = f.int("io_priority", p.IOPriority, 0, 7)
}

// readLimits reads the limits that are given. custom allows a bare number, which is in the unit of the plan, and leaves a limit alone that is not enabled.
func (p *plan) readLimits(f *form, custom bool) {
	for _, name := range slices.Sorted(maps.Keys(limitUnits)) {
		if !f.has(name) {
			continue
		}
		old, sub := p.Limits[name], f.object(name)
		l := limit{
			Enabled: sub.bool("is_enabled", old.Enabled), Limit: sub.count("limit", old.Limit),
			Unit: sub.word("unit", old.Unit, limitUnits[name]...),
		}
		if !custom || old.Enabled {
			p.Limits[name] = l
		}
	}
}

// readFlags reads what creation and change have in common.
func (p *plan) readFlags(c *call, f *form) {
	p.Name = f.text("name", p.Name, 255)
	p.Default, p.Hidden = f.bool("is_default", p.Default), !f.bool("is_visible", !p.Hidden)
	p.readSwitches(f)
	for i, name := range tokenNames {
		p.Tokens[i] = f.float(name, p.Tokens[i], 1000)
	}
	p.BackupPrice = f.float("backup_price", p.BackupPrice, 100)
	p.Locations = refIDs(f, "available_locations", p.Locations, c.Locations)
	p.Versions = refIDs(f, "available_os_image_versions", p.Versions, c.Versions)
	p.Applications = refIDs(f, "available_applications", p.Applications, c.Applications)
}

// readSwitches reads what custom_plan may replace too.
func (p *plan) readSwitches(f *form) {
	p.NoSnapshots = !f.bool("is_snapshots_enabled", !p.NoSnapshots)
	p.NoBackups = !f.bool("is_backup_available", !p.NoBackups)
	p.NoExtraIPs = !f.bool("is_additional_ips_available", !p.NoExtraIPs)
	p.ResetPolicy = f.word("reset_limit_policy", p.ResetPolicy, "never", "first_day_of_month", "vm_created_day")
	p.TrafficType = f.word("network_traffic_limit_type", p.TrafficType, "separate", "total")
	backups := f.object("backup_settings")
	p.Incremental = backups.bool("is_incremental_backup_enabled", p.Incremental)
	p.Increments = backups.int("incremental_backups_limit", p.Increments, 1, math.MaxInt32)
	p.Netfilter = f.object("netfilter").word("value", p.Netfilter, "disabled", "stateless", "stateful", "full")
}

func (p *plan) readKind(f *form) {
	p.Virtualization = f.word("virtualization_type", p.Virtualization, "kvm", "vz")
	p.StorageType = f.word("storage_type", p.StorageType, storageTypes...)
	p.ImageFormat = f.word("image_format", p.ImageFormat, "qcow2", "raw", "ploop")
}

func (p *plan) clone() *plan {
	copied := *p
	copied.Limits = maps.Clone(p.Limits)
	return &copied
}

// customized is the plan with what custom_plan of a request replaces.
func (p *plan) customized(f *form) *plan {
	changed := p.clone()
	if !f.has("custom_plan") {
		return changed
	}
	custom := f.object("custom_plan")
	changed.readParams(custom.object("params"))
	changed.readLimits(custom.object("limits"), true)
	changed.readKind(custom)
	changed.readSwitches(custom)
	return changed
}

func (c *call) createPlan() answer {
	f := c.form()
	f.require("name", "virtualization_type", "storage_type", "image_format")
	p := newPlan()
	params := f.object("params")
	params.require("disk", "ram", "vcpu")
	p.readKind(f)
	p.readParams(params)
	p.readLimits(f.object("limits"), false)
	p.readFlags(c, f)
	if f.failed() {
		return f.invalid()
	}
	p.ID, p.Created = c.next("plan"), c.now
	c.Plans[p.ID] = p
	c.onlyDefault(p)
	return made(c.planJSON(p))
}

// onlyDefault takes the mark from the plan that had it (guess).
func (c *call) onlyDefault(p *plan) {
	for _, o := range c.Plans {
		o.Default = o.Default && (o == p || !p.Default)
	}
}

// updatePlan leaves the sizes and the limits of the disk alone, which the vendor's client cannot change.
func (c *call) updatePlan() answer {
	p := find(c, c.Plans)
	if p == nil {
		return c.lost("Plan")
	}
	f := c.form()
	changed := p.clone()
	changed.readLimits(f.object("limits"), false)
	changed.Limits["disk_bandwidth"], changed.Limits["disk_iops"] = p.Limits["disk_bandwidth"], p.Limits["disk_iops"]
	changed.readFlags(c, f)
	if f.failed() {
		return f.invalid()
	}
	*p = *changed
	c.onlyDefault(p)
	return ok(c.planJSON(p))
}

func (c *call) patchPlan() answer {
	p := find(c, c.Plans)
	if p == nil {
		return c.lost("Plan")
	}
	f := c.form()
	isDefault, isVisible, position := f.bool("is_default", p.Default), f.bool("is_visible", !p.Hidden), f.float("position", p.Position, math.MaxInt32)
	if f.failed() {
		return f.invalid()
	}
	p.Default, p.Hidden, p.Position = isDefault, !isVisible, position
	c.onlyDefault(p)
	return ok(c.planJSON(p))
}

// used reports whether a server has the plan; such a plan cannot be deleted (guess).
func (c *call) used(p *plan) bool {
	return slices.ContainsFunc(c.live(), func(s *server) bool { return s.Plan.ID == p.ID })
}

func (c *call) deletePlan() answer {
	p := find(c, c.Plans)
	switch {
	case p == nil:
		return c.lost("Plan")
	case c.used(p):
		return conflict("The plan is used by servers.")
	}
	delete(c.Plans, p.ID)
	return noContent()
}

func (c *call) deletePlans() answer {
	f := c.form()
	f.require("ids")
	ids := refIDs(f, "ids", nil, c.Plans)
	if f.failed() {
		return f.invalid()
	}
	for _, id := range ids {
		if c.used(c.Plans[id]) {
			return conflict(fmt.Sprintf("The plan %d is used by servers.", id))
		}
	}
	for _, id := range ids {
		delete(c.Plans, id)
	}
	return noContent()
}

// offers reports whether a list of what is offered with a plan holds id. An empty list holds everything (guess).
func offers(list []int64, id int64) bool { return len(list) == 0 || slices.Contains(list, id) }

func (c *call) planJSON(p *plan) obj {
	limits := obj{}
	for name, l := range p.Limits {
		if c.panel.old {
			l.Unit = strings.Replace(l.Unit, "iB", "B", 1)
		}
		limits[name] = l
	}
	o := obj{
		"id": p.ID, "name": p.Name, "virtualization_type": p.Virtualization, "storage_type": p.StorageType, "image_format": p.ImageFormat, "limits": limits,
		"params": obj{
			"disk": p.Disk, "ram": p.RAM, "swap": p.Swap, "vcpu": p.VCPU, "vcpu_units": p.VCPUUnits, "vcpu_limit": p.VCPULimit, "io_priority": p.IOPriority,
		},
		"is_default": p.Default, "is_visible": !p.Hidden, "is_snapshots_enabled": !p.NoSnapshots, "is_snapshot_available": !p.NoSnapshots,
		"is_backup_available": !p.NoBackups, "is_additional_ips_available": !p.NoExtraIPs, "reset_limit_policy": p.ResetPolicy,
		"network_traffic_limit_type": p.TrafficType, "backup_price": p.BackupPrice, "position": p.Position,
		"backup_settings": obj{"is_incremental_backup_enabled": p.Incremental, "incremental_backups_limit": p.Increments},
		"netfilter":       obj{"value": p.Netfilter, "is_editable": false}, "ppp": obj{"value": false, "is_editable": false},
		"tun_tap": obj{"value": false, "is_editable": false}, "price": p.price(),
		"available_locations":         refs(p.Locations, c.Locations, func(l *location) string { return l.Name }),
		"available_os_image_versions": refs(p.Versions, c.Versions, func(v *imageVersion) string { return v.Version }),
		"available_applications":      refs(p.Applications, c.Applications, func(a *application) string { return a.Name }),
	}
	for i, name := range tokenNames {
		o[name] = p.Tokens[i]
	}
	return o
}

// refs renders the records of a list that still exist.
func refs[T any](ids []int64, table map[int64]*T, name func(*T) string) []obj {
	list := []obj{}
	for _, id := range ids {
		if r := table[id]; r != nil {
			list = append(list, ref(id, name(r)))
		}
	}
	return list
}

// price renders amounts as text.
func (p *plan) price() obj {
	amount := func(v float64) string { return strconv.FormatFloat(v, 'f', 5, 64) }
	return obj{
		"per_hour": amount(p.Tokens[0]), "per_month": amount(p.Tokens[1]), "additional_ips_per_hour": amount(p.Tokens[2]),
		"additional_ips_per_month": amount(p.Tokens[3]),
		"currency_code":            "USD", "total_price": amount(p.Tokens[1]), "total_price_without_backups": amount(p.Tokens[1]), "backup_price": amount(p.BackupPrice),
		"taxes_inclusive": false, "taxes": []any{},
	}
}
