package virtfusion

import (
	"context"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// SwitchVNC is SetVNC in the other form that is known: {"vnc":true} instead of {"action":"enable"}. One integration sends it to panel 7.0 (build 9) and reports
// that it works. Use it where SetVNC is refused. It makes a new socket token as well and is sent once.
func (s *ServersService) SwitchVNC(ctx context.Context, id ServerID, on bool, opts ...CallOption) (*VNC, error) {
	in := struct {
		VNC bool `json:"vnc"`
	}{on}
	return s.vnc(ctx, rest.Call{Op: "setServerVnc", Class: rest.Once, Method: http.MethodPost, In: in}, id, opts)
}
