package solusvm2test

import (
	"maps"
	"slices"
	"time"
)

type location struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Default     bool      `json:"default"`
	Hidden      bool      `json:"hidden"`
	Created     time.Time `json:"created"`
}

func locationOperations() []operation {
	return []operation{
		{"listLocations", "GET /locations", everyone, (*call).listLocations},
		{"createLocation", "POST /locations", admins, (*call).createLocation},
		{"getLocation", "GET /locations/{id}", everyone, (*call).getLocation},
		{"updateLocation", "PUT /locations/{id}", admins, (*call).updateLocation},
		{"patchLocation", "PATCH /locations/{id}", admins, (*call).patchLocation},
		{"deleteLocation", "DELETE /locations/{id}", admins, (*call).deleteLocation},
	}
}

// AddLocation adds a location without compute resources and returns its id.
func (p *Panel) AddLocation(name string) int64 {
	return view(p, func(c *call) int64 { return c.addLocation(c.now, &location{Name: name}).ID })
}

func (st *state) addLocation(now time.Time, l *location) *location {
	l.ID, l.Created = st.next("location"), now
	st.Locations[l.ID] = l
	return l
}

// listLocations shows hidden ones to administrators only (guess).
func (c *call) listLocations() answer {
	return page(c, slices.DeleteFunc(sorted(c.Locations), func(l *location) bool { return !c.found(l.Name) || l.Hidden && !c.isAdmin() }), c.locationJSON)
}

func (c *call) getLocation() answer {
	l := find(c, c.Locations)
	if l == nil {
		return c.lost("Location")
	}
	return ok(c.locationJSON(l))
}

// readLocation says which compute resources a location has and which plans are offered in it; both sides of each link can be changed.
func (c *call) readLocation(f *form, l *location) (nodes, plans []int64) {
	l.Name, l.Description = f.text("name", l.Name, 255), f.text("description", l.Description, 1024)
	l.Default, l.Hidden = f.bool("is_default", l.Default), !f.bool("is_visible", !l.Hidden)
	return refIDs(f, "compute_resources", nil, c.Nodes), refIDs(f, "available_plans", nil, c.Plans)
}

// link stores the compute resources and plans of a location, where they are given.
func (c *call) link(f *form, l *location, nodes, plans []int64) {
	for _, n := range c.Nodes {
		if f.has("compute_resources") {
			n.Locations = linked(n.Locations, l.ID, slices.Contains(nodes, n.ID))
		}
	}
	for _, p := range c.Plans {
		if f.has("available_plans") {
			p.Locations = offered(p.Locations, c.Locations, l.ID, slices.Contains(plans, p.ID))
		}
	}
	for _, o := range c.Locations {
		o.Default = o.Default && (o == l || !l.Default) // there is one (guess)
	}
}

// linked is a list of ids with or without id.
func linked(list []int64, id int64, with bool) []int64 {
	list = slices.DeleteFunc(slices.Clone(list), func(o int64) bool { return o == id })
	if with {
		list = append(list, id)
	}
	return list
}

// offered is linked for the lists of a plan, where an empty one means all of a table. A list that would become empty keeps 0, which is no record.
func offered[T any](list []int64, table map[int64]*T, id int64, with bool) []int64 {
	if len(list) == 0 {
		list = slices.Sorted(maps.Keys(table))
	}
	list = linked(list, id, with)
	if len(list) == 0 {
		return []int64{0}
	}
	return list
}

func (c *call) createLocation() answer {
	f := c.form()
	f.require("name")
	l := &location{}
	nodes, plans := c.readLocation(f, l)
	if f.failed() {
		return f.invalid()
	}
	c.addLocation(c.now, l)
	c.link(f, l, nodes, plans)
	c.log(c.now, c.user.Email, "location_created", obj{"id": l.ID, "name": l.Name})
	return made(c.locationJSON(l))
}

func (c *call) updateLocation() answer {
	l := find(c, c.Locations)
	if l == nil {
		return c.lost("Location")
	}
	f := c.form()
	f.require("name")
	changed := *l
	nodes, plans := c.readLocation(f, &changed)
	if f.failed() {
		return f.invalid()
	}
	*l = changed
	c.link(f, l, nodes, plans)
	c.log(c.now, c.user.Email, "location_changed", obj{"id": l.ID, "name": l.Name})
	return ok(c.locationJSON(l))
}

func (c *call) patchLocation() answer {
	l := find(c, c.Locations)
	if l == nil {
		return c.lost("Location")
	}
	f := c.form()
	isDefault, isVisible := f.bool("is_default", l.Default), f.bool("is_visible", !l.Hidden)
	if f.failed() {
		return f.invalid()
	}
	l.Default, l.Hidden = isDefault, !isVisible
	c.link(f, l, nil, nil)
	return ok(c.locationJSON(l))
}

// deleteLocation refuses while a server is in it (guess).
func (c *call) deleteLocation() answer {
	l := find(c, c.Locations)
	switch {
	case l == nil:
		return c.lost("Location")
	case slices.ContainsFunc(c.live(), func(s *server) bool { return s.LocationID == l.ID }):
		return conflict("The location has servers.")
	}
	for _, n := range c.Nodes {
		n.Locations = linked(n.Locations, l.ID, false)
	}
	delete(c.Locations, l.ID)
	c.log(c.now, c.user.Email, "location_deleted", obj{"id": l.ID, "name": l.Name})
	return noContent()
}

func (c *call) locationJSON(l *location) obj {
	nodes, plans := []obj{}, []obj{}
	for _, n := range sorted(c.Nodes) {
		if slices.Contains(n.Locations, l.ID) {
			nodes = append(nodes, obj{"id": n.ID, "name": n.Name, "host": n.Host, "status": n.Status, "is_locked": n.Locked})
		}
	}
	for _, p := range sorted(c.Plans) {
		if offers(p.Locations, l.ID) {
			plans = append(plans, ref(p.ID, p.Name))
		}
	}
	return obj{
		"id": l.ID, "name": l.Name, "description": nullable(l.Description), "icon": nil, "is_default": l.Default, "is_visible": !l.Hidden,
		"compute_resources": nodes, "available_plans": plans,
	}
}
