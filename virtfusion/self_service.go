package virtfusion

import (
	"context"
	"net/http"
	"net/url"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// SelfServiceService keeps what users may make for themselves: credit, profiles, resource packs, and what was used. It finds users by external relation. Credit
// and packs belong to a user and never to a server: who adds credit once for each server of a user gives too much.
type SelfServiceService struct{ rest *rest.Client }

// ofUser is a call about a user's self-service. The path ends with the user.
func (s *SelfServiceService) ofUser(call rest.Call, ext ExtRelation, path ...any) (rest.Call, error) {
	if ext == nil {
		return call, provisioning.InvalidField("extRelationId", "is missing")
	}
	element, relStr, err := ext.extRelation()
	if err != nil {
		return call, err
	}
	query, _ := call.Query.(url.Values)
	if query == nil {
		query = url.Values{}
	}
	if relStr {
		query.Set("relStr", "true")
	}
	call.Query, call.Path = query, append(append([]any{"selfService"}, path...), "byUserExtRelationId", element)
	return call, nil
}

func (s *SelfServiceService) doOfUser(ctx context.Context, call rest.Call, ext ExtRelation, opts []CallOption, path ...any) error {
	call, err := s.ofUser(call, ext, path...)
	if err != nil {
		return err
	}
	return s.rest.Do(ctx, call, opts...)
}

// profile is the body that names a profile.
type profile[T ~int64] struct {
	ProfileID T `json:"profileId"`
}

// AddHourlyGroupProfile lets a user make hourly billed servers as the profile says. It is sent once: whether a repetition adds the profile twice is not
// documented. User.SelfServiceHourlyGroupProfiles shows which a user has.
//
// Class: once.
// API: POST /selfService/hourlyGroupProfile/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) AddHourlyGroupProfile(ctx context.Context, ext ExtRelation, id HourlyGroupProfileID, opts ...CallOption) error {
	if err := positive("profileId", id); err != nil {
		return err
	}
	return s.doOfUser(ctx, rest.Call{Op: "addHourlyGroupProfile", Class: rest.Once, Method: http.MethodPost, In: profile[HourlyGroupProfileID]{id}}, ext, opts,
		"hourlyGroupProfile")
}

// RemoveHourlyGroupProfile takes a profile away from a user. What happens to servers that were made with it is not documented.
//
// Class: set.
// API: DELETE /selfService/hourlyGroupProfile/{profileId}/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) RemoveHourlyGroupProfile(ctx context.Context, ext ExtRelation, id HourlyGroupProfileID, opts ...CallOption) error {
	if err := positive("profileId", id); err != nil {
		return err
	}
	return s.doOfUser(ctx, rest.Call{Op: "removeHourlyGroupProfile", Class: rest.Set, Method: http.MethodDelete}, ext, opts, "hourlyGroupProfile", id)
}

// AddResourceGroupProfile lets a user make servers from his resource packs as the profile says. It is sent once, as AddHourlyGroupProfile.
// User.SelfServiceResourceGroupProfiles shows which a user has.
//
// Class: once.
// API: POST /selfService/resourceGroupProfile/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) AddResourceGroupProfile(ctx context.Context, ext ExtRelation, id ResourceGroupProfileID, opts ...CallOption) error {
	if err := positive("profileId", id); err != nil {
		return err
	}
	return s.doOfUser(ctx, rest.Call{Op: "addResourceGroupProfile", Class: rest.Once, Method: http.MethodPost, In: profile[ResourceGroupProfileID]{id}}, ext, opts,
		"resourceGroupProfile")
}

// RemoveResourceGroupProfile takes a profile away from a user. The documentation calls its id that of an hourly profile, which is the text of the other
// operation.
//
// Class: set.
// API: DELETE /selfService/resourceGroupProfile/{profileId}/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) RemoveResourceGroupProfile(ctx context.Context, ext ExtRelation, id ResourceGroupProfileID, opts ...CallOption) error {
	if err := positive("profileId", id); err != nil {
		return err
	}
	return s.doOfUser(ctx, rest.Call{Op: "removeResourceGroupProfile", Class: rest.Set, Method: http.MethodDelete}, ext, opts, "resourceGroupProfile", id)
}

// RecomputeAccess lets the panel work out anew what a user may do for himself (User.SelfService). That syncToProfiles derives it from the profiles he has is
// read from its name; it is always sent.
//
// Class: set.
// API: PUT /selfService/access/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) RecomputeAccess(ctx context.Context, ext ExtRelation, syncToProfiles bool, opts ...CallOption) error {
	in := struct {
		SyncToProfiles bool `json:"syncToProfiles"`
	}{syncToProfiles}
	return s.doOfUser(ctx, rest.Call{Op: "modifySelfServiceAccess", Class: rest.Set, Method: http.MethodPut, In: in}, ext, opts, "access")
}
