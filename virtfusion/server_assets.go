package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// AvailableAssets returns the hypervisor assets that could be attached to a server. What is attached is in Server.HypervisorAssets. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came.
//
// Class: read.
// API: GET /servers/{serverId}/hypervisorAssets/available
func (s *ServersService) AvailableAssets(ctx context.Context, id ServerID, opts ...CallOption) (json.RawMessage, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	return fetchRaw(ctx, s.rest, rest.Call{Op: "listAvailableHypervisorAssets", Since: panel71, Class: rest.Read, Method: http.MethodGet,
		Path: []any{"servers", id, "hypervisorAssets", "available"}}, opts)
}

// AttachAsset attaches a hypervisor asset to a server; the guest has it from its next start. It is sent once: whether a repetition is refused is not
// documented. That Conflict means an asset that is attached elsewhere is a guess. How an asset is taken away again is not documented. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came. It may be nil.
//
// Class: once.
// API: POST /servers/{serverId}/hypervisorAssets/{assetId}
func (s *ServersService) AttachAsset(ctx context.Context, id ServerID, asset HypervisorAssetID, opts ...CallOption) (json.RawMessage, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	if err := positive("assetId", asset); err != nil {
		return nil, err
	}
	return fetchRaw(ctx, s.rest, rest.Call{Op: "attachHypervisorAsset", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", id, "hypervisorAssets", asset}}, opts)
}
