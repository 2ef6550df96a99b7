package virtfusion

import (
	"context"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// EnableRescueRequest starts a server's rescue system.
type EnableRescueRequest struct {
	ImageID RescueImageID `json:"imageId,omitzero"` // the panel's image 1 when it is left out; Rescue tells which there are
	// SendMail mails the login to the owner. It is always sent, because the panel mails when it is left out.
	SendMail bool `json:"sendMail"`
}

// Rescue returns what the panel tells about a server's rescue system: whether it is active, with which image, the login once it has booted, and the images
// there are. Panel 7.1.
//
// Experimental: nobody has published the members. The answer is the panel's JSON as it came, and a Secret as a whole because of the login in it.
//
// Class: read.
// API: GET /servers/{serverId}/rescue
func (s *ServersService) Rescue(ctx context.Context, id ServerID, opts ...CallOption) (provisioning.Secret, error) {
	return s.rescue(ctx, rest.Call{Op: "getServerRescue", Class: rest.Read, Method: http.MethodGet}, id, opts)
}

// EnableRescue queues a restart of the server into its rescue system. It is sent once: a repetition would restart it again. Rescue tells the login once it has
// booted. How a server leaves the rescue system is not documented. Panel 7.1.
//
// Experimental: nobody has published the answer. It is the panel's JSON as it came, which may be empty, and a Secret because it may hold the login.
//
// Class: once.
// API: POST /servers/{serverId}/rescue
func (s *ServersService) EnableRescue(ctx context.Context, id ServerID, r EnableRescueRequest, opts ...CallOption) (provisioning.Secret, error) {
	if r.ImageID < 0 {
		return "", provisioning.InvalidField("imageId", "must be above 0, or 0 for the panel's default")
	}
	return s.rescue(ctx, rest.Call{Op: "enableServerRescue", Class: rest.Once, Method: http.MethodPost, In: r}, id, opts)
}

func (s *ServersService) rescue(ctx context.Context, call rest.Call, id ServerID, opts []CallOption) (provisioning.Secret, error) {
	if err := positive("serverId", id); err != nil {
		return "", err
	}
	call.Since, call.Path = panel71, []any{"servers", id, "rescue"}
	answer, err := fetchRaw(ctx, s.rest, call, opts)
	return provisioning.Secret(answer), err
}
