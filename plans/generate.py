#!/usr/bin/env python3
"""Writes the two large example plans: registry-exit.yaml and peering-exchange.yaml.

The figures are those of the cases that the plans are made from: 120 services on 875 hosts, each host exactly once, in waves
before a closing date; 950 organisations that keep reaching 21 suppliers while both sides move. The same figures give the same
files: run it again after a change and commit what it writes. No network, no clock, no random numbers.
"""

import sys
from datetime import date, timedelta
from pathlib import Path

# Where to write: the directory that is named, or the one in which this stands.
HERE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
HEAD = """# {title}
#
# Written by plans/generate.py; change the script, not this file.
{text}apiVersion: gapless.dev/v1alpha1
kind: MigrationPlan
metadata: {{ name: {name}, namespace: {namespace} }}
spec:
  timeZone: Europe/London
"""


def window(name, day, hours=36):
    opens = f"{day}T20:00"
    closes = f"{day + timedelta(days=(20 + hours) // 24)}T{(20 + hours) % 24:02}:00"
    return f"    - {{ name: {name}, for: Shift, opens: {opens}, closes: {closes}, reserve: 2h }}\n"


def registry_exit():
    services, hosts, waves = 120, 875, 10
    out = HEAD.format(
        title=f"The exit from a data centre: {services} services on {hosts} hosts, in {waves} waves, before a date that cannot move.",
        name="registry-exit",
        namespace="registry",
        text="# A wave is a weekend; the weekend after it is its spare. Hosts go when every service on them has soaked and people agree.\n",
    )
    out += "  deadline: 2027-03-31T17:00 # the lease ends\n"
    out += "  connections: [{ name: desk, to: { notify: { url: \"https://desk.registry.example/hooks/exit\" } } }]\n  windows:\n"
    first = date(2026, 9, 4)
    for wave in range(waves + 1):
        out += window(f"week-{wave + 1:02}", first + timedelta(weeks=wave))
    out += "  limits: { inMotion: 6, perTier: [{ tier: Critical, max: 2 }] }\n"
    out += "  roles:\n    - { name: exit-board, groups: [exit-board] }\n    - { name: owners, groups: [service-owners] }\n"
    out += "  legacySystems:\n"
    host, systems = 0, []
    for s in range(services):
        count = hosts // services + (1 if s < hosts % services else 0)
        names = [f"dc1-{host + i + 1:03}" for i in range(count)]
        systems.append((count, host))
        host += count
        out += f"    - {{ name: system-{s + 1:03}, hosts: [{', '.join(names)}] }}\n"
    assert host == hosts
    out += """  defaults:
    tier: Standard
    shift: { steps: [5, 25, 50, 100], bake: 10m }
    soak: { for: 30d, guardFor: 5m }
    maxConnectionAge: 15m
    drain: { deadline: 1h }
    decommission: { approval: { allOf: [{ role: exit-board }, { role: owners }], validFor: 24h }, screamTest: 72h }
    probes: [{ name: answers, every: 2s, send: { http: { path: /healthz } } }]
  phases:
"""
    for wave in range(waves):
        after = f", after: [{{ phase: wave-{wave:02}, stableFor: 24h }}]" if wave else ""
        out += (
            f"    - {{ name: wave-{wave + 1:02}, windows: [week-{wave + 1:02}, week-{wave + 2:02}]{after}, "
            f"approval: {{ allOf: [{{ role: exit-board, count: 2 }}], asks: \"Wave {wave + 1} of {waves}: ready?\" }} }}\n"
        )
    out += "  services:\n"
    per_wave = services // waves
    for s in range(services):
        wave, (count, start) = s // per_wave, systems[s]
        tier = "Critical" if s % per_wave == 0 else "Important" if s % 3 == 0 else None
        # Each needs one of its own wave or an earlier one; the first of a wave carries the others.
        needed = (s // 2) if s % per_wave else s - per_wave
        endpoints = ", ".join(f"{{ address: 10.{100 + (start + i) // 250}.0.{(start + i) % 250 + 1}, port: 8080 }}" for i in range(count))
        out += f"    - name: service-{s + 1:03}\n      phase: wave-{wave + 1:02}\n"
        if tier:
            out += f"      tier: {tier}\n"
        if s:
            out += f"      needs: [{{ service: service-{needed + 1:03} }}]\n"
        out += f"      load: {{ peak: {20 * count}/s }}\n"
        out += f"      legacy: {{ system: system-{s + 1:03}, endpoints: [{endpoints}], capacity: {{ perEndpoint: 40/s }} }}\n"
        out += f"      target: {{ service: {{ name: service-{s + 1:03}, port: 8080 }}, capacity: {{ perEndpoint: 40/s }} }}\n"
        out += f"      router: {{ httpRoute: {{ name: service-{s + 1:03} }} }}\n"
        if s % per_wave == 0:
            out += "      tasks:\n        - name: tell-users\n          at: BeforeShift\n"
            out += f"          do: {{ notify: {{ connection: desk, message: \"Wave {wave + 1} begins.\" }} }}\n"
            out += f"          undo: {{ do: {{ notify: {{ connection: desk, message: \"Wave {wave + 1} was taken back.\" }} }} }}\n"
    (HERE / "registry-exit.yaml").write_text(out)


def peering_exchange():
    organisations, suppliers, each = 950, 21, 25
    accesses = organisations // each
    assert accesses * each == organisations
    out = HEAD.format(
        title=f"A network hub is replaced while {organisations} organisations and {suppliers} suppliers keep reaching each other.",
        name="peering-exchange",
        namespace="exchange",
        text=f"# {accesses} access nodes with {each} organisations each, {suppliers} supplier gateways. The bridge between the old and the new hub goes in first\n"
        "# and out last: whoever has moved reaches whoever has not, so nobody has to wait for anybody.\n",
    )
    out += "  deadline: 2027-01-31T17:00 # the old hub's contract ends\n  windows:\n"
    first = date(2026, 9, 11)
    phases = ["pilot", "suppliers", "north", "south"]
    for week, phase in enumerate(phases):
        out += window(phase, first + timedelta(weeks=2 * week))
    out += """  limits: { inMotion: 5 }
  roles:
    - { name: network-duty, groups: [network-duty] }
    - { name: exchange-board, groups: [exchange-board] }
  defaults:
    tier: Important
    shift: { steps: [10, 50, 100], bake: 15m }
    soak: { for: 30d, guardFor: 3m }
    maxConnectionAge: 4h # tunnels are renewed
    drain: { deadline: 6h }
    decommission: { approval: { allOf: [{ role: exchange-board, count: 2 }] }, screamTest: 72h }
    probes: [{ name: path, every: 2s, send: { http: { path: "/path/$(service)" } } }]
  phases:
"""
    for index, phase in enumerate(phases):
        after = f", after: [{{ phase: {phases[index - 1]}, stableFor: 7d }}]" if index else ""
        out += f"    - {{ name: {phase}, windows: [{phase}]{after}, approval: {{ allOf: [{{ role: network-duty }}, {{ role: exchange-board }}] }} }}\n"
    out += f"""  bridges:
    - name: interconnect
      joins: {{ phases: [{', '.join(phases)}] }}
      managed:
        up: {{ do: {{ job: {{ fromCronJob: interconnect-up }} }}, expect: 1h }}
        down: {{ do: {{ job: {{ fromCronJob: interconnect-down }} }}, expect: 15m }}
      gates:
        - {{ name: old-to-new, check: {{ http: {{ url: "http://bridge.exchange.example/old-to-new" }} }} }}
        - {{ name: new-to-old, check: {{ http: {{ url: "http://bridge.exchange.example/new-to-old" }} }} }}
  services:
"""
    across = [f"{{ service: supplier-{i + 1:02}, mode: Across, bridge: interconnect }}" for i in range(suppliers)]
    nodes = [(f"supplier-{i + 1:02}", "pilot" if i == 0 else "suppliers", i, None) for i in range(suppliers)]
    for i in range(accesses):
        phase = "pilot" if i == 0 else "north" if i <= accesses // 2 else "south"
        nodes.append((f"access-{i + 1:02}", phase, suppliers + i, across))
    for name, phase, i, needs in nodes:
        out += f"    - name: {name}\n      phase: {phase}\n"
        if needs:
            out += "      needs:\n" + "".join(f"        - {need}\n" for need in needs)
        out += f"      legacy: {{ endpoints: [{{ address: 10.80.{i}.1, port: 443 }}, {{ address: 10.80.{i}.2, port: 443 }}] }}\n"
        out += f"      target: {{ endpoints: [{{ address: 10.90.{i}.1, port: 443 }}, {{ address: 10.90.{i}.2, port: 443 }}] }}\n"
        out += f"      router: {{ webhook: {{ url: \"http://10.80.255.1:8080/routes/{name}\", keyFromEnv: EXCHANGE_KEY }} }}\n"
    (HERE / "peering-exchange.yaml").write_text(out)


if __name__ == "__main__":
    registry_exit()
    peering_exchange()
