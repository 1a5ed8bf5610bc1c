import type {Family} from '../../lib/network.ts';
import type {Load} from '../../testbed/load-rules.ts';

/**
 * What a command does to loaded rules. `removes`: it may take the rules of fw-wizard away, or the jump to
 * them. `decides`: it adds or deletes rules that a packet to this machine may meet. `other`: it changes
 * rules that decide on none, as those of FORWARD. `unknown`: the text does not show it.
 */
export type Effect = 'removes' | 'decides' | 'other' | 'unknown';

/**
 * When something runs, by the order of the init system. `later`: not at boot, but by itself afterwards, as when
 * an interface goes down.
 */
export type When = 'before' | 'after' | 'unknown' | 'later';

/** What the init system, or something that it starts, runs. */
export type Starter = {
	/** For people: `cron (@reboot)`, `my-firewall.service`. */
	readonly by: string;
	/** The service that runs it, which decides when: a unit of systemd, without `.service` an init script. */
	readonly service: string;
	/** It does not run at boot. */
	readonly later?: boolean;
	/** The commands, as lines of a shell; where they stand. */
	readonly commands: readonly CommandLine[];
};

/** A file that iptables-restore reads. */
export type Restored = {readonly file: string; readonly family: Family};

export type CommandLine = {readonly file: string; readonly line: number; readonly text: string};

/** A command that changes rules, and where it stands. */
export type FoundCommand = {
	readonly file: string;
	/** Counted from 1. */
	readonly line: number;
	/** That line, safe to print. */
	readonly text: string;
	readonly effect: Effect;
	/** The file in the format of iptables-save that it restores. */
	readonly restores?: Restored;
	/** How a copy of this machine runs it. */
	readonly load?: Load;
};

/** Something besides fw-wizard that changes rules at boot. */
export type BootLoader = {
	readonly by: string;
	readonly when: When;
	readonly commands: readonly FoundCommand[];
	/** Whether running its commands one after the other does what it does to rules at boot. */
	readonly plain: boolean;
};
