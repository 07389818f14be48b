-- The first schema. A test proves that it equals the Entity Framework model but for the constraints that EF cannot express.
-- Enumerations are kebab-case text, nested values jsonb, text keys sort by bytes (COLLATE "C") whatever the database's locale.

-- Exclusion constraints over uuid and integer columns.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Tenants. quota: {vms, vcpus, memoryMiB, devicesByPool}; what is absent is unlimited.
CREATE TABLE projects (
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    quota jsonb NOT NULL,
    generation bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_projects PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ux_projects_name ON projects (name);

-- Bearer tokens: only the SHA-256 of the secret is kept.
CREATE TABLE tokens (
    id uuid NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    project_id uuid,
    secret_hash bytea NOT NULL,
    expires_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT pk_tokens PRIMARY KEY (id),
    CONSTRAINT fk_tokens_projects_project_id FOREIGN KEY (project_id) REFERENCES projects (id)
);

CREATE UNIQUE INDEX ux_tokens_secret_hash ON tokens (secret_hash);

CREATE TABLE networks (
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    physical_network text,
    vlan integer,
    mtu integer,
    generation bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_networks PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ux_networks_name ON networks (name);

CREATE TABLE device_pools (
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    match jsonb NOT NULL,
    physical_network text,
    generation bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_device_pools PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ux_device_pools_name ON device_pools (name);

-- What the VMs of a project hold together; raised only by updates that compare with the quota.
CREATE TABLE project_usage (
    project_id uuid NOT NULL,
    vms integer NOT NULL,
    vcpus integer NOT NULL,
    memory_mib bigint NOT NULL,
    CONSTRAINT pk_project_usage PRIMARY KEY (project_id),
    CONSTRAINT fk_project_usage_projects_project_id FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
    CONSTRAINT ck_project_usage_not_negative CHECK (vms >= 0 AND vcpus >= 0 AND memory_mib >= 0)
) WITH (fillfactor = 50);

CREATE TABLE project_device_usage (
    project_id uuid NOT NULL,
    pool_id uuid NOT NULL,
    devices integer NOT NULL,
    CONSTRAINT pk_project_device_usage PRIMARY KEY (project_id, pool_id),
    CONSTRAINT fk_project_device_usage_device_pools_pool_id FOREIGN KEY (pool_id) REFERENCES device_pools (id),
    CONSTRAINT fk_project_device_usage_projects_project_id FOREIGN KEY (project_id) REFERENCES projects (id),
    CONSTRAINT ck_project_device_usage_not_negative CHECK (devices >= 0)
) WITH (fillfactor = 50);

-- What a host sells is in host_usage, so that selling does not touch the row that clients hold an ETag of.
CREATE TABLE hosts (
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    backend jsonb NOT NULL,
    state text NOT NULL,
    state_reason text,
    labels jsonb NOT NULL,
    capacity jsonb NOT NULL,
    cpu jsonb NOT NULL,
    cpu_ratio double precision NOT NULL,
    memory_ratio double precision NOT NULL,
    cordoned boolean NOT NULL,
    operation_id uuid,
    generation bigint NOT NULL,
    last_seen_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_hosts PRIMARY KEY (id),
    CONSTRAINT ck_hosts_state CHECK (state IN ('connecting', 'up', 'draining', 'maintenance', 'down')),
    CONSTRAINT ck_hosts_generation CHECK (generation >= 0)
);

CREATE UNIQUE INDEX ux_hosts_name ON hosts (name);

-- Which server looks after a host: beside the host, because a renewal every few seconds is no change of it. No row: nobody has yet.
CREATE TABLE host_leases (
    host_id uuid NOT NULL,
    owner text NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    generation bigint NOT NULL,
    CONSTRAINT pk_host_leases PRIMARY KEY (host_id),
    CONSTRAINT fk_host_leases_hosts_host_id FOREIGN KEY (host_id) REFERENCES hosts (id) ON DELETE CASCADE
) WITH (fillfactor = 70);

-- sold <= limit always; limit is sellable, or sold where a host has shrunk below what it had sold.
CREATE TABLE host_usage (
    host_id uuid NOT NULL,
    vcpus_sold integer NOT NULL,
    vcpus_sellable integer NOT NULL,
    vcpus_limit integer NOT NULL,
    memory_mib_sold bigint NOT NULL,
    memory_mib_sellable bigint NOT NULL,
    memory_mib_limit bigint NOT NULL,
    hugepages_2mib_sold integer NOT NULL,
    hugepages_2mib_sellable integer NOT NULL,
    hugepages_2mib_limit integer NOT NULL,
    hugepages_1gib_sold integer NOT NULL,
    hugepages_1gib_sellable integer NOT NULL,
    hugepages_1gib_limit integer NOT NULL,
    CONSTRAINT pk_host_usage PRIMARY KEY (host_id),
    CONSTRAINT fk_host_usage_hosts_host_id FOREIGN KEY (host_id) REFERENCES hosts (id),
    CONSTRAINT ck_host_usage_vcpus CHECK (vcpus_sold BETWEEN 0 AND vcpus_limit AND vcpus_sellable BETWEEN 0 AND vcpus_limit),
    CONSTRAINT ck_host_usage_memory_mib CHECK (memory_mib_sold BETWEEN 0 AND memory_mib_limit AND memory_mib_sellable BETWEEN 0 AND memory_mib_limit),
    CONSTRAINT ck_host_usage_hugepages_2mib CHECK (hugepages_2mib_sold BETWEEN 0 AND hugepages_2mib_limit AND hugepages_2mib_sellable BETWEEN 0 AND hugepages_2mib_limit),
    CONSTRAINT ck_host_usage_hugepages_1gib CHECK (hugepages_1gib_sold BETWEEN 0 AND hugepages_1gib_limit AND hugepages_1gib_sellable BETWEEN 0 AND hugepages_1gib_limit)
) WITH (fillfactor = 50);

-- Ids are UUIDv7, so the id is the order of creation. Columns that change often are in no index: such updates stay on their page.
CREATE TABLE virtual_machines (
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    project_id uuid NOT NULL,
    spec jsonb NOT NULL,
    state text NOT NULL,
    host_id uuid,
    interfaces jsonb NOT NULL,
    attachments jsonb NOT NULL,
    conditions jsonb NOT NULL,
    operation_id uuid,
    generation bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_virtual_machines PRIMARY KEY (id),
    CONSTRAINT fk_virtual_machines_hosts_host_id FOREIGN KEY (host_id) REFERENCES hosts (id),
    CONSTRAINT fk_virtual_machines_projects_project_id FOREIGN KEY (project_id) REFERENCES projects (id),
    CONSTRAINT ck_virtual_machines_state CHECK (
        state IN ('pending', 'stopped', 'starting', 'running', 'paused', 'migrating', 'stopping', 'failed', 'deleting')),
    CONSTRAINT ck_virtual_machines_generation CHECK (generation >= 0)
) WITH (fillfactor = 80);

CREATE INDEX ix_virtual_machines_host ON virtual_machines (host_id, id) WHERE host_id IS NOT NULL;

CREATE INDEX ix_virtual_machines_project ON virtual_machines (project_id, id);

CREATE UNIQUE INDEX ux_virtual_machines_project_name ON virtual_machines (project_id, name);

-- What one VM holds of one host; of two while it migrates. host_usage is the sum.
CREATE TABLE host_allocations (
    vm_id uuid NOT NULL,
    host_id uuid NOT NULL,
    project_id uuid NOT NULL,
    vcpus integer NOT NULL,
    memory_mib bigint NOT NULL,
    hugepages_2mib integer NOT NULL,
    hugepages_1gib integer NOT NULL,
    group_name text COLLATE "C",
    hard_spread boolean NOT NULL,
    cells jsonb,
    CONSTRAINT pk_host_allocations PRIMARY KEY (vm_id, host_id),
    CONSTRAINT fk_host_allocations_hosts_host_id FOREIGN KEY (host_id) REFERENCES hosts (id),
    CONSTRAINT fk_host_allocations_virtual_machines_vm_id FOREIGN KEY (vm_id) REFERENCES virtual_machines (id),
    CONSTRAINT ck_host_allocations_share CHECK (vcpus >= 0 AND memory_mib >= 0 AND hugepages_2mib >= 0 AND hugepages_1gib >= 0),
    CONSTRAINT ck_host_allocations_hard_spread CHECK (NOT hard_spread OR group_name IS NOT NULL)
);

CREATE INDEX ix_host_allocations_host ON host_allocations (host_id);

CREATE UNIQUE INDEX ux_host_allocations_hard_spread ON host_allocations (project_id, group_name, host_id) WHERE hard_spread;

-- Every interface has its row: it makes the MAC unique, and keeps its network from being deleted.
CREATE TABLE mac_addresses (
    mac text NOT NULL,
    vm_id uuid NOT NULL,
    interface text NOT NULL,
    network_id uuid NOT NULL,
    CONSTRAINT pk_mac_addresses PRIMARY KEY (mac),
    CONSTRAINT fk_mac_addresses_networks_network_id FOREIGN KEY (network_id) REFERENCES networks (id),
    CONSTRAINT fk_mac_addresses_virtual_machines_vm_id FOREIGN KEY (vm_id) REFERENCES virtual_machines (id)
);

CREATE INDEX ix_mac_addresses_network ON mac_addresses (network_id);

CREATE INDEX ix_mac_addresses_vm ON mac_addresses (vm_id);

-- The row is the ownership. A function that vanished keeps its row, so that its generation never starts again.
-- address and family: domain << 16 | bus << 8 | device << 3 | function. iommu_group: the one the claim was made in, while it is owned.
CREATE TABLE pci_devices (
    host_id uuid NOT NULL,
    address bigint NOT NULL,
    facts jsonb NOT NULL,
    kind text NOT NULL,
    function text NOT NULL,
    vendor_id integer NOT NULL,
    device_id integer NOT NULL,
    class_code integer NOT NULL,
    numa_node integer,
    iommu_group integer,
    family bigint,
    state text NOT NULL,
    owner_vm_id uuid,
    owner_name text,
    owner_companion boolean NOT NULL,
    generation bigint NOT NULL,
    quarantine_reason text,
    assignable boolean NOT NULL,
    host_critical boolean NOT NULL,
    present boolean NOT NULL,
    CONSTRAINT pk_pci_devices PRIMARY KEY (host_id, address),
    CONSTRAINT fk_pci_devices_hosts_host_id FOREIGN KEY (host_id) REFERENCES hosts (id),
    CONSTRAINT fk_pci_devices_virtual_machines_owner_vm_id FOREIGN KEY (owner_vm_id) REFERENCES virtual_machines (id),
    CONSTRAINT ck_pci_devices_ownership CHECK (
        CASE state
            WHEN 'free' THEN owner_vm_id IS NULL
            WHEN 'host' THEN owner_vm_id IS NULL
            WHEN 'quarantined' THEN owner_vm_id IS NULL AND quarantine_reason IS NOT NULL
            WHEN 'reserved' THEN owner_vm_id IS NOT NULL
            WHEN 'attached' THEN owner_vm_id IS NOT NULL
            WHEN 'draining' THEN owner_vm_id IS NOT NULL
            WHEN 'cleaning' THEN true
            ELSE false
        END),
    CONSTRAINT ck_pci_devices_owner CHECK (
        (owner_vm_id IS NULL) = (owner_name IS NULL) AND (owner_vm_id IS NOT NULL OR NOT owner_companion)),
    CONSTRAINT ck_pci_devices_host_critical CHECK (NOT (host_critical AND owner_vm_id IS NOT NULL)),
    CONSTRAINT ck_pci_devices_generation CHECK (generation >= 0),
    -- A group goes to one VM or to none; one with a host-critical endpoint goes to none: the host counts as its holder.
    CONSTRAINT ex_pci_devices_iommu_group EXCLUDE USING gist (
        host_id WITH =, iommu_group WITH =, (coalesce(owner_vm_id, '00000000-0000-0000-0000-000000000000'::uuid)) WITH <>)
        WHERE (owner_vm_id IS NOT NULL OR (host_critical AND kind = 'endpoint')),
    -- An owned physical function excludes its owned virtual functions, and the other way round.
    CONSTRAINT ex_pci_devices_family EXCLUDE USING gist (
        host_id WITH =, family WITH =, (CASE function WHEN 'virtual' THEN 1 ELSE 0 END) WITH <>)
        WHERE (owner_vm_id IS NOT NULL AND family IS NOT NULL)
) WITH (fillfactor = 80);

CREATE INDEX ix_pci_devices_owner_vm ON pci_devices (owner_vm_id) WHERE owner_vm_id IS NOT NULL;

-- Uploaded descriptions of real hosts: the texts, and what they were understood to say.
CREATE TABLE inventories (
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    source jsonb NOT NULL,
    parsed jsonb NOT NULL,
    warnings jsonb NOT NULL,
    device_count integer NOT NULL,
    warning_count integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_inventories PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ux_inventories_name ON inventories (name);

-- Moves of VMs, kept after the VM is gone.
CREATE TABLE vm_migrations (
    id uuid NOT NULL,
    vm_id uuid NOT NULL,
    project_id uuid NOT NULL,
    source_id uuid NOT NULL,
    target_id uuid,
    state text NOT NULL,
    operation_id uuid NOT NULL,
    request jsonb NOT NULL,
    devices jsonb NOT NULL,
    transfer jsonb NOT NULL,
    estimate jsonb,
    failure text,
    generation bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT pk_vm_migrations PRIMARY KEY (id)
);

CREATE INDEX ix_vm_migrations_vm ON vm_migrations (vm_id, id);

CREATE UNIQUE INDEX ux_vm_migrations_active ON vm_migrations (vm_id) WHERE ended_at IS NULL;

-- Operations and sagas share their ids. They outlive what they were about, so they refer to nothing.
CREATE TABLE operations (
    id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    target_kind text NOT NULL,
    target_id uuid NOT NULL,
    project_id uuid,
    error_code text,
    error text,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT pk_operations PRIMARY KEY (id)
) WITH (fillfactor = 80);

CREATE INDEX ix_operations_project ON operations (project_id, id) WHERE project_id IS NOT NULL;

CREATE INDEX ix_operations_target ON operations (target_id, id);

-- ix_sagas_active holds only what is not at rest: few rows, which a take-over reads as a whole.
CREATE TABLE sagas (
    id uuid NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    state text NOT NULL,
    status text NOT NULL,
    next_step integer NOT NULL,
    attempt integer NOT NULL,
    wake_at timestamp with time zone,
    cancel_requested boolean NOT NULL,
    failure_code text,
    failure_message text,
    log_length integer NOT NULL,
    owner text NOT NULL,
    lease_generation bigint NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_sagas PRIMARY KEY (id),
    CONSTRAINT ck_sagas_status CHECK (status IN ('running', 'unwinding', 'done', 'undone', 'stuck'))
) WITH (fillfactor = 70);

CREATE INDEX ix_sagas_active ON sagas (owner) WHERE status IN ('running', 'unwinding');

-- Written only together with its row in sagas, whose update is the check that the saga is there.
CREATE TABLE saga_log (
    saga_id uuid NOT NULL,
    sequence integer NOT NULL,
    step text NOT NULL,
    event text NOT NULL,
    at timestamp with time zone NOT NULL,
    detail text,
    CONSTRAINT pk_saga_log PRIMARY KEY (saga_id, sequence)
);

-- The outbox. sequence is drawn under an advisory lock that is held until the commit, so it is the order of commits.
CREATE TABLE events (
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    type text NOT NULL,
    source text NOT NULL,
    subject text NOT NULL,
    project_id uuid,
    data jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (sequence)
);

CREATE INDEX ix_events_project ON events (project_id, sequence) WHERE project_id IS NOT NULL;

CREATE TABLE idempotency_keys (
    principal text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    state text NOT NULL,
    status integer,
    headers jsonb NOT NULL,
    response_body bytea,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (principal, key)
);

CREATE INDEX ix_idempotency_keys_expires_at ON idempotency_keys (expires_at);

CREATE TABLE audit (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    token_id uuid,
    token_name text,
    remote_address text,
    method text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    project_id uuid,
    status integer NOT NULL,
    code text,
    trace_id text NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (id)
);

CREATE INDEX ix_audit_project ON audit (project_id, id) WHERE project_id IS NOT NULL;

-- The last batch each writer committed: tells a commit whose answer was lost from one that did not happen.
CREATE TABLE writers (
    id uuid NOT NULL,
    batch bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT pk_writers PRIMARY KEY (id)
) WITH (fillfactor = 50);
