package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// AddResourcePackRequest gives a user a resource pack.
type AddResourcePackRequest struct {
	PackID ResourcePackID `json:"packId"`
	// Enabled is always sent: a pack that is not enabled cannot be used.
	Enabled bool `json:"enabled"`
}

// AddedResourcePack is what the panel answers to a new pack.
type AddedResourcePack struct {
	ID UserPackID `json:"id"`
}

// UserPack is the resource pack of a user: what he may use, and what he uses.
type UserPack struct {
	Type   string         `json:"type"` // "pack"
	ID     UserPackID     `json:"id"`
	PackID ResourcePackID `json:"pid"` // that this is the offer the pack was made from is inferred
	Label  string         `json:"label"`
	Name   string         `json:"name"`
	Limits struct {
		Servers Int       `json:"total_servers"`
		Memory  MB        `json:"total_memory"`
		Storage GB        `json:"total_storage"`
		Cores   Int       `json:"total_cpu"`
		Traffic TrafficGB `json:"total_traffic"`

		MaxMemory  MB        `json:"max_memory"` // of one server, as are the others below
		MaxStorage GB        `json:"max_storage"`
		MaxCores   Int       `json:"max_cpu"`
		MaxTraffic TrafficGB `json:"max_traffic"`
	} `json:"limits"`
	Used struct {
		Servers Int       `json:"servers"`
		Memory  MB        `json:"memory"`
		Storage GB        `json:"storage"`
		Cores   Int       `json:"cpu"`
		Traffic TrafficGB `json:"traffic"`
	} `json:"used"`
	// Usage is the same figures once more.
	Usage struct {
		Servers PackUsage `json:"servers"`
		Memory  PackUsage `json:"memory"`
		Storage PackUsage `json:"storage"`
		Cores   PackUsage `json:"cpu"`
		Traffic PackUsage `json:"traffic"`
	} `json:"usage"`
	// Servers is what WithServers adds. Nobody has published it, nor that this is its name. Experimental.
	Servers json.RawMessage `json:"servers,omitempty"`
}

// PackUsage is one figure of a pack. The meaning of the members, which the panel names by single letters, is inferred from values.
type PackUsage struct {
	Total   Float `json:"t"`
	Used    Float `json:"u"`
	Free    Float `json:"f"`
	Percent Float `json:"p"`
	Limited Bool  `json:"l"`
}

// GetResourcePackOptions tunes GetResourcePack.
type GetResourcePackOptions struct {
	WithServers bool // adds UserPack.Servers
}

// DeleteResourcePackOptions tunes DeleteResourcePack.
type DeleteResourcePackOptions struct {
	// DisableInstead disables a pack that cannot be deleted. Without it the panel refuses.
	DisableInstead bool
}

// AddResourcePack gives a user a resource pack. It is sent once: each call gives another one. After ErrMaybeApplied ask a person: the panel has no list
// of a user's packs, and whether SelfServiceReport.Limits shows them is not known.
//
// Class: once.
// API: POST /selfService/resourcePack/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) AddResourcePack(ctx context.Context, ext ExtRelation, r AddResourcePackRequest, opts ...CallOption) (*AddedResourcePack, error) {
	if err := positive("packId", r.PackID); err != nil {
		return nil, err
	}
	call, err := s.ofUser(rest.Call{Op: "addResourcePack", Class: rest.Once, Method: http.MethodPost, In: r}, ext, "resourcePack")
	if err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, call, func(v *AddedResourcePack) error { return hasID("resource pack", v.ID) }, opts)
}

// SetHourlyResourcePack sets the resource pack that limits a user's hourly billed servers (User.SelfServiceHourlyResourcePack).
//
// Class: set.
// API: PUT /selfService/hourlyResourcePack/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) SetHourlyResourcePack(ctx context.Context, ext ExtRelation, pack ResourcePackID, opts ...CallOption) error {
	if err := positive("packId", pack); err != nil {
		return err
	}
	in := struct {
		PackID ResourcePackID `json:"packId"`
	}{pack}
	return s.doOfUser(ctx, rest.Call{Op: "setHourlyResourcePack", Class: rest.Set, Method: http.MethodPut, In: in}, ext, opts, "hourlyResourcePack")
}

// GetResourcePack reads a user's pack. NotFound when there is none.
//
// Class: read.
// API: GET /selfService/resourcePack/{packId}
func (s *SelfServiceService) GetResourcePack(ctx context.Context, id UserPackID, o GetResourcePackOptions, opts ...CallOption) (*UserPack, error) {
	if err := positive("packId", id); err != nil {
		return nil, err
	}
	var query url.Values
	if o.WithServers {
		query = url.Values{"withServers": {"true"}}
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getResourcePack", Class: rest.Read, Method: http.MethodGet,
		Path: []any{"selfService", "resourcePack", id}, Query: query},
		func(v *UserPack) error { return sameID("resource pack", v.ID, id) }, opts)
}

// SetResourcePackEnabled switches a user's pack on or off. Whether that touches the servers made from it is not documented: see SuspendResourcePackServers.
//
// Class: set.
// API: PUT /selfService/resourcePack/{packId}
func (s *SelfServiceService) SetResourcePackEnabled(ctx context.Context, id UserPackID, enabled bool, opts ...CallOption) error {
	in := struct {
		Enabled bool `json:"enabled"`
	}{enabled}
	return s.ofPack(ctx, rest.Call{Op: "modifyResourcePack", Class: rest.Set, Method: http.MethodPut, In: in}, id, opts, "resourcePack", id)
}

// DeleteResourcePack deletes a user's pack.
//
// Class: set.
// API: DELETE /selfService/resourcePack/{packId}
func (s *SelfServiceService) DeleteResourcePack(ctx context.Context, id UserPackID, o DeleteResourcePackOptions, opts ...CallOption) error {
	call := rest.Call{Op: "deleteResourcePack", Class: rest.Set, Method: http.MethodDelete}
	if o.DisableInstead {
		call.Query = url.Values{"disable": {"true"}}
	}
	return s.ofPack(ctx, call, id, opts, "resourcePack", id)
}

// DeleteResourcePackServers asks for the deletion of all servers that were made from a user's pack, after a grace period as ServersService.Delete does. The
// delay is always sent: left out, the panel would take 30 minutes here.
//
// Class: set.
// API: DELETE /selfService/resourcePackServers/{packId}
func (s *SelfServiceService) DeleteResourcePackServers(ctx context.Context, id UserPackID, o DeleteServerOptions, opts ...CallOption) error {
	if o.DelayMinutes < 0 || o.DelayMinutes > maxDeleteDelay {
		return provisioning.InvalidField("delayMinutes", "must be between 0 and %d, not %d", maxDeleteDelay, o.DelayMinutes)
	}
	return s.ofPack(ctx, rest.Call{Op: "deleteResourcePackServers", Class: rest.Set, Method: http.MethodDelete,
		Query: url.Values{"delay": {strconv.Itoa(o.DelayMinutes)}}}, id, opts, "resourcePackServers", id)
}

// SuspendResourcePackServers suspends all servers that were made from a user's pack. nil means that the panel has accepted it, see ServersService.Suspend.
//
// Class: set.
// API: POST /selfService/resourcePackServers/{packId}/suspend
func (s *SelfServiceService) SuspendResourcePackServers(ctx context.Context, id UserPackID, opts ...CallOption) error {
	return s.ofPack(ctx, rest.Call{Op: "suspendResourcePackServers", Class: rest.Set, Method: http.MethodPost}, id, opts, "resourcePackServers", id, "suspend")
}

// UnsuspendResourcePackServers lifts the suspension of all servers that were made from a user's pack. Whether it also lifts one that was placed
// on a single server is not documented.
//
// Class: set.
// API: POST /selfService/resourcePackServers/{packId}/unsuspend
func (s *SelfServiceService) UnsuspendResourcePackServers(ctx context.Context, id UserPackID, opts ...CallOption) error {
	return s.ofPack(ctx, rest.Call{Op: "unsuspendResourcePackServers", Class: rest.Set, Method: http.MethodPost}, id, opts, "resourcePackServers", id, "unsuspend")
}

func (s *SelfServiceService) ofPack(ctx context.Context, call rest.Call, id UserPackID, opts []CallOption, path ...any) error {
	if err := positive("packId", id); err != nil {
		return err
	}
	call.Path = append([]any{"selfService"}, path...)
	return s.rest.Do(ctx, call, opts...)
}
