package ospabpanel

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/hvpanels/hvpanels/provisioning"
)

var (
	_ provisioning.Registrar       = (*Registrar)(nil)
	_ provisioning.Registrar       = (*FindingRegistrar)(nil)
	_ provisioning.RegistrarFinder = (*FindingRegistrar)(nil)
)

// Registrar keeps provisioning's records on an OSPAB panel. A record's name on the panel is its Key, which is what FindingRegistrar finds it by; customers see
// it.
type Registrar struct {
	sync  *Sync
	users UserResolver
}

// NewRegistrar makes a Registrar. users finds the panel's id of a customer by Record.OwnerRef, the main site's.
func NewRegistrar(sync *Sync, users UserResolver) (*Registrar, error) {
	if sync == nil || users == nil {
		return nil, provisioning.InvalidField("registrar", "needs a Sync and a UserResolver")
	}
	return &Registrar{sync: sync, users: users}, nil
}

// BaseURL is the panel's address, to be stored next to the ids of its records: on another panel they mean something else.
func (r *Registrar) BaseURL() string { return r.sync.BaseURL() }

// Register makes a record. A customer without a panel user is NotFound; nothing is sent then, and it is worth trying again after the customer's first login.
//
// The panel begins every record as "creating". Another status is set by a second call; when that one fails, the error is ErrMaybeApplied and the id comes with
// it: the record exists, and only its status is missing.
func (r *Registrar) Register(ctx context.Context, rec provisioning.Record) (provisioning.RecordID, error) {
	want := Status(rec.Status)
	if want == "" {
		want = StatusCreating
	}
	if err := want.check(); err != nil {
		return "", err
	}
	req, err := r.request(ctx, rec)
	if err != nil {
		return "", err
	}
	v, err := r.sync.Create(ctx, req)
	if err != nil {
		return "", err
	}
	id := recordID(v.ID)
	if want == StatusCreating || want == v.Status {
		return id, nil
	}
	_, err = r.sync.UpdateStatus(ctx, v.ID, want)
	return id, registered(v.ID, err)
}

// registered words the failure of the second call as what it is for the first: the record was made.
func registered(id VPSID, err error) error {
	var e *provisioning.Error
	if !errors.As(err, &e) {
		return err
	}
	whole := *e
	whole.MaybeApplied = true
	whole.Message = fmt.Sprintf("record %d was made, but its status could not be set: %s", id, e.Message)
	return &whole
}

var keyPattern = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// request translates a record and finds its user.
func (r *Registrar) request(ctx context.Context, rec provisioning.Record) (CreateRequest, error) {
	if !keyPattern.MatchString(rec.Key) {
		return CreateRequest{}, provisioning.InvalidField("key", "must be 1 to 40 characters of a-z, 0-9 and -")
	}
	const anyUser = 1 // the rest is checked before anybody is asked for the user
	req := CreateRequest{
		UserID: anyUser, Name: rec.Key, CPUCores: rec.VCPUs, Memory: rec.Memory, Disk: rec.Disk, OS: rec.Image, Hypervisor: Hypervisor(rec.Hypervisor),
	}
	if _, err := r.sync.wire(req); err != nil {
		return CreateRequest{}, err
	}
	user, err := r.user(ctx, rec.OwnerRef)
	if err != nil {
		return CreateRequest{}, err
	}
	req.UserID = user
	return req, nil
}

func (r *Registrar) user(ctx context.Context, ref string) (PanelUserID, error) {
	if ref == "" {
		return 0, provisioning.InvalidField("ownerRef", "is missing")
	}
	user, err := r.users.PanelUserID(ctx, ref)
	var e *provisioning.Error
	switch {
	case errors.As(err, &e): // whatever the resolver did, no record was sent
		return 0, &provisioning.Error{
			Panel: panelName, Op: "resolveUser", Kind: e.Kind, Message: e.Message, Fields: e.Fields, RetryAfter: e.RetryAfter, Err: e.Err,
		}
	case err != nil:
		return 0, &provisioning.Error{
			Panel: panelName, Op: "resolveUser", Kind: provisioning.Unavailable, Message: "the panel's id of the customer could not be found out", Err: err,
		}
	}
	return user, checkNumber("userID", user)
}

// SetRecordStatus sets the status of a record; see Sync.UpdateStatus.
func (r *Registrar) SetRecordStatus(ctx context.Context, id provisioning.RecordID, s provisioning.RecordStatus) error {
	n, err := vpsID(id)
	if err != nil {
		return err
	}
	_, err = r.sync.UpdateStatus(ctx, n, Status(s))
	return err
}

// Unregister removes a record; see Sync.Delete.
func (r *Registrar) Unregister(ctx context.Context, id provisioning.RecordID) error {
	n, err := vpsID(id)
	if err != nil {
		return err
	}
	return r.sync.Delete(ctx, n)
}

func recordID(id VPSID) provisioning.RecordID {
	return provisioning.RecordID(strconv.FormatInt(int64(id), 10))
}

func vpsID(id provisioning.RecordID) (VPSID, error) {
	n, err := strconv.ParseInt(string(id), 10, 64)
	if err != nil || n < 1 || n > maxInt || recordID(VPSID(n)) != id {
		return 0, provisioning.InvalidField("id", "is not an id of this panel: a number between 1 and %d", maxInt)
	}
	return VPSID(n), nil
}

// UserClients returns the client of one panel user, for looking at the user's own list. A user whose tokens are not to be had is an error.
type UserClients func(ctx context.Context, user PanelUserID) (*UserClient, error)

// FindingRegistrar is a Registrar that can also search, because it has tokens of the panel's users. The sync key itself can read nothing.
type FindingRegistrar struct {
	*Registrar
	clients UserClients
}

// NewFindingRegistrar adds the ability to search.
func NewFindingRegistrar(r *Registrar, clients UserClients) (*FindingRegistrar, error) {
	if r == nil || clients == nil {
		return nil, provisioning.InvalidField("registrar", "needs a Registrar and UserClients")
	}
	return &FindingRegistrar{Registrar: r, clients: clients}, nil
}

// FindRecords returns the records in the owner's list whose name is the record's Key. Names are not unique on the panel, so there can be several; nothing is
// deleted. A record with that name but other resources than those asked for was not made by this Register: it is a ConflictError, and a person has to look.
//
// Finding none proves little right after a lost answer, because the panel may still be working. A list that cannot be read, or that belongs to another user or
// panel, is an error.
func (r *FindingRegistrar) FindRecords(ctx context.Context, rec provisioning.Record) ([]provisioning.FoundRecord, error) {
	req, err := r.request(ctx, rec)
	if err != nil {
		return nil, err
	}
	list, err := r.list(ctx, req.UserID)
	if err != nil {
		return nil, err
	}
	var found []provisioning.FoundRecord
	var others []provisioning.ID
	for _, v := range list {
		switch {
		case v.Name == "":
			return nil, &provisioning.Error{Panel: panelName, Op: "listVPS", Kind: provisioning.Unexpected, Message: "the list does not tell the names of its records"}
		case v.Name != req.Name:
		case v.couldBe(req):
			found = append(found, v.record())
		default:
			others = append(others, provisioning.ID(recordID(v.ID)))
		}
	}
	if len(others) > 0 {
		for _, f := range found {
			others = append(others, provisioning.ID(f.ID))
		}
		return nil, &provisioning.ConflictError{Key: rec.Key, Candidates: others}
	}
	return found, nil
}

// VerifyVisible checks that the owner sees a record in the own list. A record that is not there, because it was stored for another user, is a Mismatch; nothing
// is repaired.
func (r *FindingRegistrar) VerifyVisible(ctx context.Context, ownerRef string, id provisioning.RecordID) error {
	n, err := vpsID(id)
	if err != nil {
		return err
	}
	user, err := r.user(ctx, ownerRef)
	if err != nil {
		return err
	}
	list, err := r.list(ctx, user)
	if err != nil {
		return err
	}
	for _, v := range list {
		if v.ID == n {
			return nil
		}
	}
	return &provisioning.Error{
		Panel: panelName, Op: "verifyVisible", Kind: provisioning.Mismatch, Message: fmt.Sprintf("panel user %d does not see record %d", user, n),
	}
}

func (r *FindingRegistrar) list(ctx context.Context, user PanelUserID) ([]VPS, error) {
	c, err := r.clients(ctx, user)
	if err != nil {
		return nil, err
	}
	if c == nil || c.User() != user || c.BaseURL() != r.BaseURL() {
		return nil, &provisioning.Error{
			Panel: panelName, Op: "listVPS", Kind: provisioning.Mismatch, Message: "the client is not one of this panel and this panel user",
		}
	}
	return c.List(ctx)
}

// couldBe reports whether nothing that the panel told speaks against v being made by req.
func (v VPS) couldBe(req CreateRequest) bool {
	return v.CPUCores.Or(req.CPUCores) == req.CPUCores && v.Memory.Or(req.Memory) == req.Memory && v.Disk.Or(req.Disk) == req.Disk && (v.OS == "" || v.OS == req.OS)
}

func (v VPS) record() provisioning.FoundRecord {
	return provisioning.FoundRecord{
		ID: recordID(v.ID), Name: v.Name, Status: string(v.Status), Memory: v.Memory.Or(0), Disk: v.Disk.Or(0), VCPUs: v.CPUCores.Or(0), Image: v.OS,
		Created: v.CreatedAt,
	}
}
