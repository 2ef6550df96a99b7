package virtfusion

import (
	"encoding/json"
	"log/slog"
	"net"
	"net/netip"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Server is a server as the panel describes it in full. It holds secrets (masked when printed) and, in QemuAgent, a screenshot of the guest, so do not store or
// log it as JSON.
type Server struct {
	ID           ServerID     `json:"id"`
	UUID         string       `json:"uuid"`
	OwnerID      UserID       `json:"ownerId"`
	HypervisorID HypervisorID `json:"hypervisorId"` // a single hypervisor; creating takes the id of a group under this name
	Arch         Arch         `json:"arch"`
	Name         string       `json:"name"`     // the display name; "" until somebody names the server
	Hostname     string       `json:"hostname"` // "" until the first build
	Timezone     string       `json:"timezone"` // "_default" or a zone

	State            ServerState      `json:"state"` // of the build, not of the power
	CommissionStatus CommissionStatus `json:"commissionStatus"`
	BuildFailed      Bool             `json:"buildFailed"` // not reliable alone, see Phase
	Suspended        Bool             `json:"suspended"`
	Protected        Bool             `json:"protected"`
	Rebuild          Bool             `json:"rebuild"`
	Destroyable      Bool             `json:"destroyable"`
	Migratable       Bool             `json:"migratable"`
	Elevated         Bool             `json:"elevated"`
	ElevateID        Int              `json:"elevateId"`
	Elevate          Bool             `json:"elevate"`
	// The levels are not documented. ConfigLevel was 1 right after a build was asked for. Whether DeleteLevel tells a scheduled deletion is not known, so do
	// not conclude anything from it.
	MigrateLevel Int `json:"migrateLevel"`
	DeleteLevel  Int `json:"deleteLevel"`
	ConfigLevel  Int `json:"configLevel"`
	BackupLevel  Int `json:"backupLevel"`

	Built   Time `json:"built"` // zero until the first build is complete; changes with every rebuild
	Created Time `json:"created"`
	Updated Time `json:"updated"`

	PrimaryNetworkDHCP4 Bool `json:"primaryNetworkDhcp4"`
	PrimaryNetworkDHCP6 Bool `json:"primaryNetworkDhcp6"`

	SelfService         SelfServiceMode `json:"selfService"`
	SelfServiceSettings json.RawMessage `json:"selfServiceSettings"` // empty in every example

	Traffic    ServerTraffic    `json:"traffic"`
	Settings   ServerSettings   `json:"settings"`
	CPU        ServerCPU        `json:"cpu"`
	Media      ServerMedia      `json:"media"`
	BackupPlan ServerBackupPlan `json:"backupPlan"`
	VNC        ServerVNC        `json:"vnc"`
	Network    ServerNetwork    `json:"network"`
	Storage    []ServerDisk     `json:"storage"`
	Hypervisor ServerHypervisor `json:"hypervisor"`
	Owner      User             `json:"owner"` // without the self-service members
	SSHKeys    []ServerSSHKey   `json:"sshKeys"`
	Tasks      ServerTasks      `json:"tasks"`
	// OS names the installed template. Integrations have seen it on 7.0; it is in no example.
	OS ServerOS `json:"os"`

	// RemoteState is what the hypervisor said, when it was asked (GetServerOptions.RemoteState) and answered.
	RemoteState RemoteState `json:"remoteState"`

	// Trees that programs do not read. QemuAgent holds what the guest's agent told and a picture of its screen.
	CustomXML        json.RawMessage `json:"customXML,omitempty"`
	QemuCommandline  json.RawMessage `json:"qemuCommandline,omitempty"`
	QemuAgent        json.RawMessage `json:"qemuAgent,omitempty"`
	HypervisorAssets json.RawMessage `json:"hypervisorAssets,omitempty"` // empty in every example
	SharedUsers      json.RawMessage `json:"sharedUsers,omitempty"`      // empty in every example
}

// LogValue logs all of it, with its secrets masked.
func (s Server) LogValue() slog.Value { return provisioning.Masked(s) }

// ServerOS names the installed operating system.
type ServerOS struct {
	TemplateName string `json:"templateName"`
}

// UnmarshalJSON reads an object, and takes what PHP writes for an empty one as none.
func (o *ServerOS) UnmarshalJSON(b []byte) error {
	type plain ServerOS
	var p plain
	if len(b) > 0 && b[0] == '{' {
		if err := json.Unmarshal(b, &p); err != nil {
			return err
		}
	}
	*o = ServerOS(p)
	return nil
}

// ServerTraffic is the traffic period a server is in. What was used is told by ServersService.Traffic.
type ServerTraffic struct {
	Public struct {
		CountMethod   Int `json:"countMethod"` // which direction counts; 1 seen
		CurrentPeriod struct {
			Start Time      `json:"start"`
			End   Time      `json:"end"`
			Limit TrafficGB `json:"limit"` // 0 is unlimited
		} `json:"currentPeriod"`
	} `json:"public"`
}

// ServerSettings are a server's settings.
type ServerSettings struct {
	OSTemplateInstall   Bool              `json:"osTemplateInstall"`
	OSTemplateInstallID OperatingSystemID `json:"osTemplateInstallId"` // 0 before the first build
	// EncryptedPassword is encrypted by the panel and of no use elsewhere.
	EncryptedPassword provisioning.Secret `json:"encryptedPassword"`
	// DecryptedPassword is the root password. It is in the answer of Build only and cannot be read again.
	DecryptedPassword provisioning.Secret `json:"decryptedPassword,omitempty"`
	BackupPlan        BackupPlanID        `json:"backupPlan"`
	UEFI              Bool                `json:"uefi"`
	UEFIType          Int                 `json:"uefiType"`
	CloudInit         Bool                `json:"cloudInit"`
	CloudInitType     Int                 `json:"cloudInitType"`
	Config            json.RawMessage     `json:"config,omitempty"`     // fragments of the guest's first configuration; [] when empty
	UserConfig        json.RawMessage     `json:"userConfig,omitempty"` // empty in every example
	BootOrder         []string            `json:"bootOrder"`            // hd, cdrom
	TPMType           Int                 `json:"tpmType"`
	NetworkBoot       Bool                `json:"networkBoot"`
	BootMenu          Int                 `json:"bootMenu"`
	CustomISO         Int                 `json:"customISO"`
	SecurityDriver    Int                 `json:"securityDriver"`
	MemBalloon        struct {
		Model             Int `json:"model"`
		AutoDeflate       Int `json:"autoDeflate"`
		FreePageReporting Int `json:"freePageReporting"`
	} `json:"memBalloon"`
	HyperV   json.RawMessage `json:"hyperv,omitempty"`   // switches of the guest's virtualisation hints
	Extended json.RawMessage `json:"extended,omitempty"` // cpuFlags: flag to "1"
	// MachineType is "inherit" or the name of a QEMU machine.
	MachineType string          `json:"machineType"`
	PCIPorts    Int             `json:"pciPorts"`
	Resources   ServerResources `json:"resources"`
}

// LogValue logs all of it, with its secrets masked.
func (s ServerSettings) LogValue() slog.Value { return provisioning.Masked(s) }

// ServerResources is what a server was given.
type ServerResources struct {
	Memory   MB        `json:"memory"`
	Storage  GB        `json:"storage"` // the primary disk
	Traffic  TrafficGB `json:"traffic"` // a period; 0 is unlimited
	CPUCores Int       `json:"cpuCores"`
	CPUModel string    `json:"cpu_model"` // in lists of a user's servers only
}

// ServerCPU is a server's processor.
type ServerCPU struct {
	Cores     Int    `json:"cores"`
	Type      string `json:"type"`      // "inherit"
	TypeExact string `json:"typeExact"` // "host-model"
	Shares    Int    `json:"shares"`    // 1024 is the default
	Throttle  Int    `json:"throttle"`  // percent taken away, 0 to 99
	Topology  struct {
		Enabled Bool `json:"enabled"`
		Sockets Int  `json:"sockets"`
		Cores   Int  `json:"cores"`
		Threads Int  `json:"threads"`
		Dies    Int  `json:"dies"`
	} `json:"topology"`
}

// ServerMedia is the CD-ROM drive.
type ServerMedia struct {
	ISOMounted  Bool   `json:"isoMounted"`
	ISOType     string `json:"isoType"` // "local"
	ISOName     string `json:"isoName"`
	ISOFilename string `json:"isoFilename"`
	ISOURL      string `json:"isoUrl"`
	ISODownload Bool   `json:"isoDownload"`
}

// ServerBackupPlan is the (legacy) backup plan; ID 0 is none.
type ServerBackupPlan struct {
	ID   BackupPlanID `json:"id"`
	Name string       `json:"name"`
}

// ServerVNC is where a server's screen is, without the password, which ServersService.GetVNC tells.
type ServerVNC struct {
	IP       string `json:"ip"`
	Hostname string `json:"hostname"`
	Port     Int    `json:"port"`
	// Enabled stays false on panel 7.0 whatever is done.
	Enabled       Bool `json:"enabled"`
	ExposeDetails Bool `json:"expose_details"` // in lists of a user's servers only
}

// ServerNetwork is a server's network interfaces.
type ServerNetwork struct {
	Interfaces          []ServerInterface `json:"interfaces"` // the primary one; a list all the same
	SecondaryInterfaces []ServerInterface `json:"secondaryInterfaces"`
}

// ServerInterface is a network interface. Rates are 0 where there is no limit. In lists of a user's servers much of it is left out.
type ServerInterface struct {
	ID      Int    `json:"id"`
	Order   Int    `json:"order"`
	Enabled Bool   `json:"enabled"`
	Tag     Int    `json:"tag"`  // may exceed 32 bits
	Name    string `json:"name"` // of the guest's device
	Type    string `json:"type"` // public or private
	// Driver is 1 virtio, 2 e1000, 3 rtl8139; null is the hypervisor's default.
	Driver provisioning.Opt[Int] `json:"driver,omitzero"`
	// ProcessQueues is 1 to 40, or 1000 for automatic; null is the default.
	ProcessQueues provisioning.Opt[Int] `json:"processQueues,omitzero"`
	MAC           string                `json:"mac"`
	IPv4ToMAC     json.RawMessage       `json:"ipv4ToMac,omitempty"` // null in every example
	IPv6ToMAC     json.RawMessage       `json:"ipv6ToMac,omitempty"` // null in every example

	InTrafficCount  Bool `json:"inTrafficCount"`
	OutTrafficCount Bool `json:"outTrafficCount"`
	InAverage       KBps `json:"inAverage"`
	InPeak          KBps `json:"inPeak"`
	InBurst         KBps `json:"inBurst"`
	OutAverage      KBps `json:"outAverage"`
	OutPeak         KBps `json:"outPeak"`
	OutBurst        KBps `json:"outBurst"`

	IPFilter        Bool            `json:"ipFilter"`
	IPFilterType    string          `json:"ipFilterType"`    // "", "4" or "4-6"
	VLANs           json.RawMessage `json:"vlans,omitempty"` // empty in every example
	PortIsolated    Bool            `json:"portIsolated"`
	IPv4Resolver1   Int             `json:"ipv4_resolver_1"`
	IPv4Resolver2   Int             `json:"ipv4_resolver_2"`
	IPv6Resolver1   Int             `json:"ipv6_resolver_1"`
	IPv6Resolver2   Int             `json:"ipv6_resolver_2"`
	NetworkProfile  Int             `json:"networkProfile"`
	DHCPv4          Bool            `json:"dhcpV4"`
	DHCPv6          Bool            `json:"dhcpV6"`
	FirewallEnabled Bool            `json:"firewallEnabled"`
	Firewall        json.RawMessage `json:"firewall,omitempty"` // empty in every example

	HypervisorNetworkID    HypervisorNetworkID `json:"hypervisorNetwork"`
	HypervisorConnectivity HypervisorNetwork   `json:"hypervisorConnectivity"`
	// IsNAT says that the addresses are private and reached through forwarded ports.
	IsNAT Bool `json:"isNat"`
	// NAT is false without NAT; what it is with NAT nobody has published. Experimental.
	NAT         json.RawMessage `json:"nat,omitempty"`
	IPWhitelist []WhitelistedIP `json:"ipWhitelist"`
	Actions     json.RawMessage `json:"actions,omitempty"` // empty in every example

	IPv4 []ServerIPv4 `json:"ipv4"`
	IPv6 []ServerIPv6 `json:"ipv6"`
}

// WhitelistedIP is a prefix that a server may send from although it is not assigned to it.
type WhitelistedIP struct {
	ID   Int    `json:"id"`
	Type Int    `json:"type"` // 4 or 6
	IP   string `json:"ip"`
	Mask Int    `json:"mask"` // prefix length
}

// ServerIPv4 is an IPv4 address of a server.
type ServerIPv4 struct {
	ID        IPv4ID    `json:"id"`
	Order     Int       `json:"order"` // 1 is the primary address
	Enabled   Bool      `json:"enabled"`
	BlockID   IPBlockID `json:"blockId"` // 0 on secondary interfaces: the panel leaves it out
	Address   string    `json:"address"`
	Gateway   string    `json:"gateway"`
	Netmask   string    `json:"netmask"` // dotted
	Resolver1 string    `json:"resolver1"`
	Resolver2 string    `json:"resolver2"`
	RDNS      string    `json:"rdns"`
	MAC       string    `json:"mac"`
}

// Prefix is the address with the length of its network. It is the invalid prefix when the panel sent something else than an address, and a /32 when it sent no
// netmask.
func (a *ServerIPv4) Prefix() netip.Prefix {
	addr, err := netip.ParseAddr(a.Address)
	if err != nil {
		return netip.Prefix{}
	}
	mask, err := netip.ParseAddr(a.Netmask)
	if err != nil || !mask.Is4() {
		return netip.PrefixFrom(addr, addr.BitLen())
	}
	if ones, bits := net.IPMask(mask.AsSlice()).Size(); bits == 32 {
		return netip.PrefixFrom(addr, ones)
	}
	return netip.PrefixFrom(addr, addr.BitLen())
}

// ServerIPv6 is an IPv6 subnet of a server: the panel hands IPv6 out as subnets. Addresses may be empty although a subnet is assigned.
type ServerIPv6 struct {
	ID    IPv6SubnetID `json:"id"`
	Block struct {
		ID   IPBlockID `json:"id"`
		Name string    `json:"name"`
	} `json:"block"`
	Order             Int             `json:"order"` // repeats, so sort by it and then by ID
	Enabled           Bool            `json:"enabled"`
	Addresses         json.RawMessage `json:"addresses,omitempty"`         // empty in every example
	AddressesDetailed json.RawMessage `json:"addressesDetailed,omitempty"` // empty in every example
	Subnet            string          `json:"subnet"`
	CIDR              Int             `json:"cidr"` // prefix length
	Exhausted         Bool            `json:"exhausted"`
	Gateway           string          `json:"gateway"`
	Resolver1         string          `json:"resolver1"`
	Resolver2         string          `json:"resolver2"`
	RouteNet          json.RawMessage `json:"routeNet,omitempty"` // false in every example
}

// Prefix is the subnet, or the invalid prefix when the panel sent something else.
func (a *ServerIPv6) Prefix() netip.Prefix {
	addr, err := netip.ParseAddr(a.Subnet)
	if err != nil || a.CIDR < 0 || a.CIDR > 128 {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(addr, int(a.CIDR))
}

// ServerDisk is a disk of a server.
type ServerDisk struct {
	RowID           Int    `json:"_id"` // names the disk in tasks
	ID              Int    `json:"id"`  // counts the server's disks; 1 is the primary one
	Cache           string `json:"cache"`
	Bus             string `json:"bus"`
	Capacity        GB     `json:"capacity"`
	Drive           string `json:"drive"` // a, b, c
	DatastoreDiskID Int    `json:"datastoreDiskId"`
	Filesystem      string `json:"filesystem"`
	IOPS            struct {
		Read  Int `json:"read"` // 0 is no limit
		Write Int `json:"write"`
	} `json:"iops"`
	BytesSec struct {
		Read  Int `json:"read"` // 0 is no limit
		Write Int `json:"write"`
	} `json:"bytes"`
	Type    string      `json:"type"` // qcow2 or raw
	Profile StorageType `json:"profile"`
	// Status is 3 for a disk in use and 1 for one that is created at the next power action. This is inferred from examples.
	Status              Int             `json:"status"`
	Enabled             Bool            `json:"enabled"`
	Primary             Bool            `json:"primary"`
	Created             Time            `json:"created"`
	Updated             Time            `json:"updated"`
	Datastore           json.RawMessage `json:"datastore,omitempty"` // [] when the disk is on none
	Name                string          `json:"name"`
	Filename            string          `json:"filename"`
	HypervisorStorageID Int             `json:"hypervisorStorageId"`
	Local               Bool            `json:"local"`
	LocationType        string          `json:"locationType"` // "mountpoint"
	Path                string          `json:"path"`
}

// ServerHypervisor is the hypervisor a server runs on.
type ServerHypervisor struct {
	ID          HypervisorID      `json:"id"`
	Name        string            `json:"name"`
	DisplayName string            `json:"displayName"`
	IP          string            `json:"ip"`
	Hostname    string            `json:"hostname"`
	Port        Int               `json:"port"`
	Maintenance Bool              `json:"maintenance"`
	GroupID     HypervisorGroupID `json:"groupId"`
	Group       struct {
		Name string `json:"name"`
		Icon string `json:"icon"`
	} `json:"group"`
	Timezone             string              `json:"timezone"`
	ForceIPv6            Bool                `json:"forceIPv6"`
	VNCListenType        Int                 `json:"vncListenType"`
	CPUSet               string              `json:"cpuSet"`
	NetFilter            NetFilter           `json:"nfType"`
	BackupStorageType    Int                 `json:"backupStorageType"`
	DefaultDiskType      string              `json:"defaultDiskType"`
	DefaultDiskCacheType string              `json:"defaultDiskCacheType"`
	DefaultCPU           string              `json:"defaultCPU"`
	DefaultMachineType   string              `json:"defaultMachineType"`
	DataDir              string              `json:"dataDir"`
	Created              Time                `json:"created"`
	Updated              Time                `json:"updated"`
	Resources            HypervisorResources `json:"resources"`
}

// ServerSSHKey is a key that was installed on a server.
type ServerSSHKey struct {
	ID        SSHKeyID `json:"id"`
	OwnerID   UserID   `json:"ownerId"`
	Type      string   `json:"type"`
	Name      string   `json:"name"`
	PublicKey string   `json:"public"`
	Enabled   Bool     `json:"enabled"`
	Created   Time     `json:"created"`
}

// ServerTasks says whether a server is busy, and what waits for its next power action.
type ServerTasks struct {
	Active  Bool `json:"active"` // a job is waiting or running
	LastOn  Time `json:"lastOn"` // without a zone, read as UTC
	Actions struct {
		Pending []DeferredAction `json:"pending"`
	} `json:"actions"`
}

// DeferredAction is work that the panel has accepted and does at the server's next power action, such as adding a disk. A failed one makes the panel refuse
// builds as Locked.
type DeferredAction struct {
	ID        Int             `json:"id"`
	Action    string          `json:"action"`   // free text: "Create HDD (sdb)"
	Requires  []string        `json:"requires"` // any of boot, restart, shutdown, poweroff
	Collected Bool            `json:"collected"`
	Complete  Bool            `json:"complete"`
	Failed    Bool            `json:"failed"`
	Payload   json.RawMessage `json:"payload,omitempty"`
	Created   Time            `json:"created"`
}

// RemoteState is what the hypervisor said about the running guest. The panel sends false when it was not asked, nothing in the answers of creating and
// building, and possibly something else than an object when the hypervisor did not answer. Its members were put together from integrations; any of them may be
// missing.
type RemoteState struct {
	// Answered says that there is an object. Without it everything below is empty.
	Answered bool `json:"-"`

	Running provisioning.Opt[Bool] `json:"running,omitzero"`
	State   string                 `json:"state"` // "running"; see Power
	CPU     Float                  `json:"cpu"`   // percent
	// Memory, Disk and Agent differ with the guest. Memory: KiB, as actual, unused, available, usable and rss, or with a Windows agent as memtotal, memfree and
	// memavailable. Disk: by device (vda), bytes and counters. Agent: fsinfo with used-bytes and total-bytes. Experimental.
	Memory json.RawMessage `json:"memory,omitempty"`
	Disk   json.RawMessage `json:"disk,omitempty"`
	Agent  json.RawMessage `json:"agent,omitempty"`
}

// UnmarshalJSON reads an object. Everything else, and an object that cannot be read, is a state that was not answered: a live figure must never make a server
// unreadable.
func (r *RemoteState) UnmarshalJSON(b []byte) error {
	*r = RemoteState{}
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	type plain RemoteState
	var p plain
	if json.Unmarshal(b, &p) == nil {
		*r = RemoteState(p)
		r.Answered = true
	}
	return nil
}

// MarshalJSON writes what the panel would: false, or the object.
func (r RemoteState) MarshalJSON() ([]byte, error) {
	if !r.Answered {
		return []byte("false"), nil
	}
	type plain RemoteState
	return json.Marshal(plain(r))
}

// ServerRow is a row of the server list: all that a list tells. The panel uses other names here than for a server.
type ServerRow struct {
	ID           ServerID         `json:"id"`
	UUID         string           `json:"uuid"`
	Name         string           `json:"name"`
	Commissioned CommissionStatus `json:"commissioned"`
	OwnerID      UserID           `json:"owner"`
	HypervisorID HypervisorID     `json:"hypervisorId"`
	Suspended    Bool             `json:"suspended"`
	Protected    Bool             `json:"protected"`
	Updated      Time             `json:"updated"`
	Created      Time             `json:"created"`
}

// UserServer is a row of the list of one user's servers: less than Server, and partly under other names.
type UserServer struct {
	ID               ServerID         `json:"id"`
	UUID             string           `json:"uuid"`
	OwnerID          UserID           `json:"ownerId"`
	HypervisorID     HypervisorID     `json:"hypervisorId"`
	Name             string           `json:"name"`
	Hostname         string           `json:"hostname"`
	State            ServerState      `json:"state"`
	CommissionStatus CommissionStatus `json:"commissionStatus"`
	Rebuild          Bool             `json:"rebuild"`
	Suspended        Bool             `json:"suspended"`
	Protected        Bool             `json:"protected"`
	BuildFailed      Bool             `json:"buildFailed"` // not reliable alone, see Phase
	BackupLevel      Int              `json:"backup_level"`
	BackupPlan       json.RawMessage  `json:"backup_plan,omitempty"` // null in every example
	OS               json.RawMessage  `json:"os,omitempty"`          // with a picture of the guest's screen
	ServerInfo       struct {
		Show  Bool   `json:"show"`
		Icon  string `json:"icon"`
		Name  string `json:"name"`
		Label string `json:"label"`
	} `json:"server_info"`
	VNC       ServerVNC       `json:"vnc"`
	Resources ServerResources `json:"resources"`
	Network   ServerNetwork   `json:"network"`
	Config    struct {
		UEFI      Bool     `json:"uefi"`
		BootOrder []string `json:"bootOrder"`
	} `json:"config"`
	Media ServerMedia `json:"media"`
}
