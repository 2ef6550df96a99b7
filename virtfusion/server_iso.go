package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// MountISORequest names the image to put into a server's CD-ROM drive: one of the library, or one that the panel fetches. Exactly one is given.
type MountISORequest struct {
	ISOID ISOID `json:"isoId,omitzero"`
	// URL must be https on the default port with a domain name as its host, a path of letters, digits and _ / . - that ends in .iso, and no query. The panel asks
	// for it with HEAD first and wants 200 without a redirect.
	URL string `json:"url,omitzero"`
}

var isoPath = regexp.MustCompile(`^/[A-Za-z0-9_/.-]*\.iso$`)

func (r *MountISORequest) check() error {
	switch {
	case r.ISOID < 0:
		return provisioning.InvalidField("isoId", "must be above 0")
	case (r.ISOID == 0) == (r.URL == ""):
		return provisioning.InvalidField("isoId", "give it or url, and not both")
	case r.URL == "":
		return nil
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" ||
		strings.ContainsAny(r.URL, "?#") || !isoPath.MatchString(u.EscapedPath()) {
		return provisioning.InvalidField("url", "must be https on port 443 with a path of letters, digits and _ / . - that ends in .iso, and without a query")
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil || !strings.Contains(u.Hostname(), ".") {
		return provisioning.InvalidField("url", "must have a domain name as its host")
	}
	return nil
}

// ISO returns what the panel tells about a server's CD-ROM drive: the mounted image, the boot order and the images of the library that can be mounted. Panel
// 7.1; on older ones see Server.Media.
//
// Experimental: nobody has published the answer, so it is kept as it came.
//
// Class: read.
// API: GET /servers/{serverId}/media/iso
func (s *ServersService) ISO(ctx context.Context, id ServerID, opts ...CallOption) (json.RawMessage, error) {
	return s.iso(ctx, rest.Call{Op: "getServerIso", Class: rest.Read, Method: http.MethodGet}, id, opts)
}

// MountISO queues the mounting of an image. Conflict when images of the user's own are switched off for the server. Server.Media shows what is mounted. Panel
// 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came. It may be nil.
//
// Class: set.
// API: POST /servers/{serverId}/media/iso
func (s *ServersService) MountISO(ctx context.Context, id ServerID, r MountISORequest, opts ...CallOption) (json.RawMessage, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return s.iso(ctx, rest.Call{Op: "mountServerIso", Class: rest.Set, Method: http.MethodPost, In: r}, id, opts)
}

// EjectISO queues the ejection of the mounted image; the server then boots from its disk first. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came. It may be nil.
//
// Class: set.
// API: DELETE /servers/{serverId}/media/iso
func (s *ServersService) EjectISO(ctx context.Context, id ServerID, opts ...CallOption) (json.RawMessage, error) {
	return s.iso(ctx, rest.Call{Op: "ejectServerIso", Class: rest.Set, Method: http.MethodDelete}, id, opts)
}

func (s *ServersService) iso(ctx context.Context, call rest.Call, id ServerID, opts []CallOption) (json.RawMessage, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	call.Since, call.Path = panel71, []any{"servers", id, "media", "iso"}
	return fetchRaw(ctx, s.rest, call, opts)
}
