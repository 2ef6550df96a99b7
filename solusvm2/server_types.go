package solusvm2

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Server is a server as the panel describes it. Rows of lists may be abbreviated: addresses and settings are only sure in the answer of ServersService.Get. It
// holds secrets, which are masked when printed; do not store or log it as JSON.
type Server struct {
	ID          ServerID `json:"id"`
	UUID        string   `json:"uuid"`
	Name        string   `json:"name"`
	Description string   `json:"description"`

	Status     ServerStatus `json:"status"`
	RealStatus ServerStatus `json:"real_status"` // what the node says, where told; see Server.Phase and Server.Power
	// IsProcessing says that a task of the server is running.
	IsProcessing Bool `json:"is_processing"`
	// IsSuspended is all that tells a suspension. Whether Status changes with it is not documented.
	IsSuspended Bool                  `json:"is_suspended"`
	Progress    provisioning.Opt[Int] `json:"progress,omitzero"` // percent of what is going on

	VirtualizationType VirtualizationType `json:"virtualization_type"`
	OSType             OSType             `json:"os_type"`
	BootMode           BootMode           `json:"boot_mode"`
	FQDNs              []string           `json:"fqdns"`

	// Specifications is nil where the panel did not tell them.
	Specifications *ServerSpecifications `json:"specifications"`
	IPAddresses    ServerIPAddresses     `json:"ip_addresses"`
	// IPs is the list of older panels, see Server.Addresses.
	IPs      []IPAddress         `json:"ips"`
	Settings ServerSettings      `json:"settings"`
	VNCURL   provisioning.Secret `json:"vnc_url"`

	// What the server belongs to. nil where the panel did not tell it.
	Location *Location `json:"location"`
	Plan     *Plan     `json:"plan"`
	Project  *Project  `json:"project"`
	User     *User     `json:"user"`
	SSHKeys  []SSHKey  `json:"ssh_keys"`

	Usage                 *ServerUsage    `json:"usage"`
	BackupSettings        *BackupSettings `json:"backup_settings"`
	NextScheduledBackupAt Time            `json:"next_scheduled_backup_at"`
	CreatedAt             Time            `json:"created_at"`
}

// LogValue logs all of it, with its secrets masked.
func (s Server) LogValue() slog.Value { return provisioning.Masked(s) }

func (s *Server) key() (int64, string) { return int64(s.ID), "server" }

// Format prints the server with its secrets masked, for every verb.
func (s *Server) Format(f fmt.State, _ rune) {
	type plain Server
	printMasked(f, plain(*s))
}

// ServerSpecifications are a server's sizes.
type ServerSpecifications struct {
	VCPU Int       `json:"vcpu"`
	RAM  ByteCount `json:"ram"`
	Disk GiB       `json:"disk"`
}

// OSType is the kind of operating system. The set is open.
type OSType string

// The kinds of operating systems.
const (
	OSLinux   OSType = "Linux"
	OSWindows OSType = "Windows"
)

// Known reports whether the type is one of the constants.
func (t OSType) Known() bool { return t == OSLinux || t == OSWindows }

// BootMode is what a server boots from. The set is open.
type BootMode string

// The boot modes.
const (
	BootDisk   BootMode = "disk"
	BootRescue BootMode = "rescue"
	BootISO    BootMode = "iso" // seen in one third-party module only
)

// Known reports whether the mode is one of the constants.
func (m BootMode) Known() bool { return slices.Contains([]BootMode{BootDisk, BootRescue, BootISO}, m) }

// ServerSettings are a server's settings. The disk and firmware members are inferred from the request that sets them.
type ServerSettings struct {
	VNCEnabled  Bool                `json:"vnc_enabled"` // do not offer a console when it is false
	VNCPassword provisioning.Secret `json:"vnc_password"`
	// VNC is where older panels keep the password, see ConsolePassword.
	VNC struct {
		Password provisioning.Secret `json:"password"`
	} `json:"vnc"`
	User          string        `json:"user"` // the login inside the guest
	DiskCacheMode DiskCacheMode `json:"disk_cache_mode"`
	DiskDriver    DiskDriver    `json:"disk_driver"`
	Firmware      Firmware      `json:"firmware"`
}

// LogValue logs all of it, with its secrets masked.
func (s ServerSettings) LogValue() slog.Value { return provisioning.Masked(s) }

// ConsolePassword is the password of the VNC console, wherever the panel's version keeps it.
func (s *ServerSettings) ConsolePassword() provisioning.Secret {
	if s.VNCPassword != "" {
		return s.VNCPassword
	}
	return s.VNC.Password
}

// DiskCacheMode is how the node caches a server's disks. The set is open.
type DiskCacheMode string

// The disk cache modes.
const (
	DiskCacheNone         DiskCacheMode = "none"
	DiskCacheDefault      DiskCacheMode = "default"
	DiskCacheDirectSync   DiskCacheMode = "directsync"
	DiskCacheWriteBack    DiskCacheMode = "writeback"
	DiskCacheWriteThrough DiskCacheMode = "writethrough"
	DiskCacheUnsafe       DiskCacheMode = "unsafe"
)

// Known reports whether the mode is one of the constants.
func (m DiskCacheMode) Known() bool {
	return slices.Contains([]DiskCacheMode{DiskCacheNone, DiskCacheDefault, DiskCacheDirectSync, DiskCacheWriteBack, DiskCacheWriteThrough, DiskCacheUnsafe}, m)
}

// DiskDriver is how a guest sees its disks. The set is open.
type DiskDriver string

// The disk drivers.
const (
	DiskSATA   DiskDriver = "sata"
	DiskSCSI   DiskDriver = "scsi"
	DiskIDE    DiskDriver = "ide"
	DiskVirtIO DiskDriver = "virtio"
)

// Known reports whether the driver is one of the constants.
func (d DiskDriver) Known() bool {
	return slices.Contains([]DiskDriver{DiskSATA, DiskSCSI, DiskIDE, DiskVirtIO}, d)
}

// Firmware is what a guest is started by. The set is open.
type Firmware string

// The firmwares.
const (
	FirmwareBIOS Firmware = "bios"
	FirmwareEFI  Firmware = "efi"
)

// Known reports whether the firmware is one of the constants.
func (f Firmware) Known() bool { return f == FirmwareBIOS || f == FirmwareEFI }

// ServerIPAddresses are a server's addresses. They may be missing while a server is being made: read it again later.
type ServerIPAddresses struct {
	IPv4 []ServerIPv4   `json:"ipv4"`
	IPv6 ServerIPv6List `json:"ipv6"`
}

// UnmarshalJSON reads an object, and [], null and false, which is how PHP programs write that there is none.
func (a *ServerIPAddresses) UnmarshalJSON(b []byte) error {
	type plain ServerIPAddresses
	var m rest.Maybe[plain]
	if err := m.UnmarshalJSON(b); err != nil {
		return err
	}
	v, _ := m.Get()
	*a = ServerIPAddresses(v)
	return nil
}

// ServerIPv4 is an IPv4 address of a server. ID is what ServersService.RemoveIPs takes.
type ServerIPv4 struct {
	ID        IPAddressID `json:"id"`
	IP        string      `json:"ip"`
	IsPrimary Bool        `json:"is_primary"`
	Gateway   string      `json:"gateway"`
	Netmask   Text        `json:"netmask"`
	IssuedFor string      `json:"issued_for"`
}

// ServerIPv6 is an IPv6 network of a server.
type ServerIPv6 struct {
	ID        IPAddressID `json:"id"`
	Range     string      `json:"range"`      // a network: "2001:db8:1::/64"
	PrimaryIP string      `json:"primary_ip"` // the address in it that the guest uses
	IP        string      `json:"ip"`
	IsPrimary Bool        `json:"is_primary"`
	Gateway   string      `json:"gateway"`
}

// ServerIPv6List is the list of IPv6 networks. Older panels write a single object.
type ServerIPv6List []ServerIPv6

// UnmarshalJSON reads a list or a single object. null, and an object that holds no address, are an empty list.
func (l *ServerIPv6List) UnmarshalJSON(b []byte) error {
	*l = nil
	isObject := bytes.HasPrefix(bytes.TrimSpace(b), []byte("{"))
	var one ServerIPv6
	if isObject && json.Unmarshal(b, &one) == nil && one != (ServerIPv6{}) {
		*l = ServerIPv6List{one}
		return nil
	}
	var list rest.List[ServerIPv6]
	if err := list.UnmarshalJSON(b); err != nil {
		if isObject {
			return nil
		}
		return err
	}
	*l = ServerIPv6List(list)
	return nil
}

// Addresses are the server's addresses in the portable form: IPv4 with the length of its network, IPv6 networks with the address in use where the panel tells
// it. Where no address is marked as the primary one of its kind, the first one is taken for it. Texts that are no addresses are left out.
func (s *Server) Addresses() []provisioning.Address {
	var v4, v6 []provisioning.Address
	for _, a := range s.IPAddresses.IPv4 {
		v4 = appendAddress(v4, maskedPrefix(a.IP, string(a.Netmask)), bool(a.IsPrimary))
	}
	for _, a := range s.IPAddresses.IPv6 {
		v6 = appendAddress(v6, a.prefix(), bool(a.IsPrimary))
	}
	if len(v4)+len(v6) == 0 {
		for _, a := range s.IPs {
			mask := ""
			if a.IPBlock != nil {
				mask = a.IPBlock.Netmask
			}
			switch p := maskedPrefix(a.IP, mask); {
			case p.Addr().Is4():
				v4 = appendAddress(v4, p, bool(a.IsPrimary))
			default:
				v6 = appendAddress(v6, p, bool(a.IsPrimary))
			}
		}
	}
	return append(withPrimary(v4), withPrimary(v6)...)
}

func appendAddress(to []provisioning.Address, p netip.Prefix, primary bool) []provisioning.Address {
	if !p.IsValid() {
		return to
	}
	kind := provisioning.AddressExtra
	if primary {
		kind = provisioning.AddressPrimary
	}
	return append(to, provisioning.Address{Prefix: p, Kind: kind})
}

func withPrimary(all []provisioning.Address) []provisioning.Address {
	isPrimary := func(a provisioning.Address) bool { return a.Kind == provisioning.AddressPrimary }
	if len(all) > 0 && !slices.ContainsFunc(all, isPrimary) {
		all[0].Kind = provisioning.AddressPrimary
	}
	return all
}

// maskedPrefix reads an address and its mask ("255.255.255.0"). Without a usable mask the prefix is the address alone.
func maskedPrefix(ip, netmask string) netip.Prefix {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Prefix{}
	}
	addr = addr.Unmap()
	if mask, err := netip.ParseAddr(netmask); err == nil && mask.Is4() && addr.Is4() {
		m := mask.As4()
		if ones, bits := net.IPMask(m[:]).Size(); bits == 32 && ones > 0 {
			return netip.PrefixFrom(addr, ones)
		}
	}
	return netip.PrefixFrom(addr, addr.BitLen())
}

func (a *ServerIPv6) prefix() netip.Prefix {
	network, err := netip.ParsePrefix(a.Range)
	for _, text := range []string{a.PrimaryIP, a.IP} {
		addr, addrErr := netip.ParseAddr(text)
		if addrErr != nil {
			continue
		}
		if err == nil && network.Contains(addr) {
			return netip.PrefixFrom(addr, network.Bits())
		}
		return netip.PrefixFrom(addr, addr.BitLen())
	}
	return network
}

// ServerUsage is what a server uses. What the panel did not tell is nil.
type ServerUsage struct {
	CPU  Float `json:"cpu"` // percent, a guess
	Disk *struct {
		ActualSize ByteCount `json:"actual_size"` // occupied on the storage
	} `json:"disk"`
	Network *struct {
		Incoming *TrafficCounter `json:"incoming"`
		Outgoing *TrafficCounter `json:"outgoing"`
	} `json:"network"`
}

// TrafficCounter is the traffic of one direction since the counters were last reset, see Plan.ResetLimitPolicy.
type TrafficCounter struct {
	Value      ByteCount `json:"value"`
	IsExceeded Bool      `json:"is_exceeded"`
}

// BackupSettings says when a server is backed up by itself.
type BackupSettings struct {
	Enabled  Bool            `json:"enabled"`
	Schedule *BackupSchedule `json:"schedule,omitempty"`
	Limit    *CountLimit     `json:"limit,omitempty"` // unit "units"
}

// BackupSchedule is a rhythm of backups.
type BackupSchedule struct {
	Type ScheduleType `json:"type"`
	Time struct {
		Hour    Int `json:"hour"`
		Minutes Int `json:"minutes"`
	} `json:"time"`
	Days []Int `json:"days,omitempty"` // of the week or of the month, for these types only; a guess
}

// ScheduleType is how often backups are made. The set is open.
type ScheduleType string

// The schedule types.
const (
	ScheduleDaily   ScheduleType = "daily"
	ScheduleWeekly  ScheduleType = "weekly"
	ScheduleMonthly ScheduleType = "monthly"
)

// Known reports whether the type is one of the constants.
func (t ScheduleType) Known() bool {
	return slices.Contains([]ScheduleType{ScheduleDaily, ScheduleWeekly, ScheduleMonthly}, t)
}

// Disk is a disk of a server.
type Disk struct {
	ID         DiskID    `json:"id"`
	IsPrimary  Bool      `json:"is_primary"`
	Name       string    `json:"name"`
	Size       GiB       `json:"size"`        // that it is GiB is inferred
	ActualSize ByteCount `json:"actual_size"` // that it is bytes is inferred
	Path       string    `json:"path"`
	FullPath   string    `json:"full_path"`
	Storage    *Storage  `json:"storage"`
	Offer      *Offer    `json:"offer"`
}

// LogValue logs all of it, with its secrets masked.
func (d Disk) LogValue() slog.Value { return provisioning.Masked(d) }

// Offer is something that can be ordered besides a plan.
type Offer struct {
	ID   OfferID `json:"id"`
	Name string  `json:"name"`
	Type string  `json:"type"` // "additional_disk"
}

// ServerLimit is how much of a limit a server has used.
type ServerLimit struct {
	Name       string `json:"name"`
	Used       Float  `json:"used"`
	IsExceeded Bool   `json:"is_exceeded"`
	Limit      struct {
		IsEnabled Bool   `json:"is_enabled"`
		Limit     Float  `json:"limit"`
		Unit      string `json:"unit"`
	} `json:"limit"`
}

// madeServer is the server in the answers of creating. A member that cannot be read must not cost the id of a server that exists.
type madeServer struct{ Server }

func (m *madeServer) UnmarshalJSON(b []byte) error {
	err := json.Unmarshal(b, &m.Server)
	if err == nil {
		return nil
	}
	var least struct {
		ID   ServerID `json:"id"`
		UUID string   `json:"uuid"`
		Name string   `json:"name"`
	}
	if json.Unmarshal(b, &least) != nil {
		return err
	}
	m.Server = Server{ID: least.ID, UUID: least.UUID, Name: least.Name}
	return nil
}
