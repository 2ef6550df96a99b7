package solusvm2

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// PowerOptions tunes Stop and Restart.
type PowerOptions struct {
	// Force cuts the power. Without it the guest is asked to shut down, and may not listen.
	Force bool `json:"force"`
}

// ReinstallServerRequest says what to install. One of OS and Application is needed.
type ReinstallServerRequest struct {
	// OS is a version of an operating system, not the operating system.
	OS              OSImageVersionID    `json:"os,omitzero"`
	Application     ApplicationID       `json:"application,omitzero"`
	ApplicationData map[string]any      `json:"application_data,omitempty"`
	SSHKeys         []SSHKeyID          `json:"ssh_keys,omitempty"`
	UserData        string              `json:"user_data,omitzero"` // cloud-init, with LF line ends
	Password        provisioning.Secret `json:"password,omitzero"`  // seen in one third-party module only
}

// LogValue logs all of it, with its secrets masked.
func (r ReinstallServerRequest) LogValue() slog.Value { return provisioning.Masked(r) }

func (r *ReinstallServerRequest) check() error {
	if err := checkInstallation(r.OS, r.Application, r.ApplicationData); err != nil {
		return err
	}
	if err := allPositive("sshKeys", r.SSHKeys); err != nil {
		return err
	}
	return checkUserData(r.UserData)
}

// ResizeServerRequest changes the plan of a server.
type ResizeServerRequest struct {
	PlanID PlanID `json:"plan_id"`
	// PreserveDisk keeps the disk as large as it is. It is always sent. Integrations set it unless they give a disk size of their own; that disks cannot shrink
	// is a guess.
	PreserveDisk   bool            `json:"preserve_disk"`
	CustomPlan     *CustomPlan     `json:"custom_plan,omitempty"`
	BackupSettings *BackupSettings `json:"backup_settings,omitempty"`
	// Delayed lets the node apply the change later instead of restarting the server now. That is a guess; one module always sets it.
	Delayed *bool `json:"delayed,omitempty"`
}

// ResetPasswordOptions tunes ResetPassword.
type ResetPasswordOptions struct {
	// MailTokenOwner mails the new password to the owner of the token, which is an administrator more often than the customer. It is always sent, because the
	// panel mails when it is left out.
	MailTokenOwner bool `json:"send_password_to_current_user"`
}

// PasswordReset is a new password of a guest.
type PasswordReset struct {
	// Password is empty when it was mailed and the panel did not tell it.
	Password provisioning.Secret
	// Task is nil when the panel did not tell one. Whether it makes one is not documented; where it does, the password is valid when the task is done.
	Task *Task
}

// LogValue logs all of it, with its secrets masked.
func (p PasswordReset) LogValue() slog.Value { return provisioning.Masked(p) }

// Start switches a server on. The task is nil when the panel answered without one.
//
// Class: set.
// API: POST /servers/{id}/start
func (s *ServersService) Start(ctx context.Context, id ServerID, opts ...CallOption) (*Task, error) {
	return s.act(ctx, "startServer", rest.Set, id, "start", nil, opts)
}

// Stop switches a server off. The task is nil when the panel answered without one.
//
// Class: set.
// API: POST /servers/{id}/stop
func (s *ServersService) Stop(ctx context.Context, id ServerID, o PowerOptions, opts ...CallOption) (*Task, error) {
	return s.act(ctx, "stopServer", rest.Set, id, "stop", o, opts)
}

// Restart restarts a server. It is sent once. The task is nil when the panel answered without one.
//
// Class: once.
// API: POST /servers/{id}/restart
func (s *ServersService) Restart(ctx context.Context, id ServerID, o PowerOptions, opts ...CallOption) (*Task, error) {
	return s.act(ctx, "restartServer", rest.Once, id, "restart", o, opts)
}

// Suspend suspends a server. Server.IsSuspended shows when it is done. The task is nil when the panel answered without one: known callers ignore the answer,
// and that it is a task is inferred.
//
// Class: set.
// API: POST /servers/{id}/suspend
func (s *ServersService) Suspend(ctx context.Context, id ServerID, opts ...CallOption) (*Task, error) {
	return s.act(ctx, "suspendServer", rest.Set, id, "suspend", nil, opts)
}

// Resume lifts a suspension, as Suspend places it.
//
// Class: set.
// API: POST /servers/{id}/resume
func (s *ServersService) Resume(ctx context.Context, id ServerID, opts ...CallOption) (*Task, error) {
	return s.act(ctx, "resumeServer", rest.Set, id, "resume", nil, opts)
}

// Reinstall installs an operating system or an application anew. All data of the server is lost. It is sent once: a second reinstallation would destroy what
// was done after the first.
//
// The task is nil when the panel answered without one: known callers ignore the answer, and that it is a task is inferred. Do not wait with WaitIdle alone,
// because the server still shows the state from before for a moment.
//
// Class: once.
// API: POST /servers/{id}/reinstall
func (s *ServersService) Reinstall(ctx context.Context, id ServerID, r ReinstallServerRequest, opts ...CallOption) (*Task, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return s.act(ctx, "reinstallServer", rest.Once, id, "reinstall", r, opts)
}

// Resize changes the plan of a server. The task is nil when the panel answered without one.
//
// It is sent once although the plan would be the same after a repetition: each accepted call is a task of its own, which may restart the guest. After
// ErrMaybeApplied read the server's plan.
//
// Class: once.
// API: POST /servers/{id}/resize
func (s *ServersService) Resize(ctx context.Context, id ServerID, r ResizeServerRequest, opts ...CallOption) (*Task, error) {
	if err := positive("plan_id", r.PlanID); err != nil {
		return nil, err
	}
	if err := r.CustomPlan.check(); err != nil {
		return nil, err
	}
	return s.act(ctx, "resizeServer", rest.Once, id, "resize", r, opts)
}

// ResetPassword gives the guest's root (or Administrator) a new password. It is sent once: each repetition makes another password.
//
// The panel tells the password in its answer, as one module and one portal read it. If nothing was to be mailed and no password is told, that is an error with
// ErrMaybeApplied: the password was probably changed, and nobody knows it. Reset it again. To let the panel mail the customer, call it with MailTokenOwner on a
// client that was made with a token of the customer, see UsersService.CreateToken.
//
// Class: once.
// API: POST /servers/{id}/reset_password
func (s *ServersService) ResetPassword(ctx context.Context, id ServerID, o ResetPasswordOptions, opts ...CallOption) (*PasswordReset, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	var out passwordAnswer
	err := s.rest.Do(ctx, rest.Call{Op: "resetServerPassword", Class: rest.Once, Method: http.MethodPost, Path: []any{"servers", id, "reset_password"}, In: o,
		Out: &out, Optional: o.MailTokenOwner,
		Check: func() error {
			if out.Data.Password == "" && !o.MailTokenOwner {
				return lacks("password")
			}
			return nil
		}}, opts...)
	if err != nil {
		return nil, err
	}
	return &PasswordReset{Password: out.Data.Password, Task: out.task}, nil
}

// passwordAnswer is a password, or a task, or both.
type passwordAnswer struct {
	startedTask
	envelope[struct {
		Password provisioning.Secret `json:"password"`
	}]
}

func (a *passwordAnswer) UnmarshalJSON(b []byte) error {
	_ = json.Unmarshal(b, &a.envelope) // where there is no password to be read, Check says so
	return a.startedTask.UnmarshalJSON(b)
}

// StartMany switches several servers on. in becomes the JSON body, and the answer is returned as it came.
//
// Experimental: the operation is in the vendor's description, but neither its body nor its answer was ever published.
//
// Class: once.
// API: POST /servers/start
func (s *ServersService) StartMany(ctx context.Context, in any, opts ...CallOption) (json.RawMessage, error) {
	return s.many(ctx, "startServers", "start", in, opts)
}

// RestartMany restarts several servers. in becomes the JSON body, and the answer is returned as it came.
//
// Experimental: the operation is in the vendor's description, but neither its body nor its answer was ever published.
//
// Class: once.
// API: POST /servers/restart
func (s *ServersService) RestartMany(ctx context.Context, in any, opts ...CallOption) (json.RawMessage, error) {
	return s.many(ctx, "restartServers", "restart", in, opts)
}

func (s *ServersService) many(ctx context.Context, op, verb string, in any, opts []CallOption) (json.RawMessage, error) {
	var out json.RawMessage
	err := s.rest.Do(ctx, rest.Call{Op: op, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", verb}, In: in, Out: &out, Optional: true}, opts...)
	return out, err
}

// act makes a call that starts a task. Calls without input send no body.
func (s *ServersService) act(ctx context.Context, op string, class rest.Class, id ServerID, verb string, in any, opts []CallOption) (*Task, error) {
	return accepted(ctx, s.rest, id, rest.Call{Op: op, Class: class, Method: http.MethodPost, Path: []any{"servers", id, verb}, In: in}, opts)
}
