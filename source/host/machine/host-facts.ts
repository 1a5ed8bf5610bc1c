import {existsSync} from 'node:fs';
import process from 'node:process';
import {FAMILIES, type Family} from '../../lib/network.ts';
import type {Services} from '../../policy/services.ts';
import {type Interface, interfacesHere} from './interfaces.ts';
import {NamedServices} from './named-services.ts';

/** What is known of this machine at once, without starting a program. */
export type HostFacts = {
	/** May change rules: root, also of a user namespace. */
	readonly root: boolean;
	readonly families: readonly Family[];
	readonly interfaces: readonly Interface[];
	readonly services: Services;
};

export function hostFacts(): HostFacts {
	return {
		root: isRoot(),
		families: familiesHere(),
		interfaces: interfacesHere(),
		services: servicesHere(),
	};
}

export function isRoot(): boolean {
	return process.geteuid?.() === 0;
}

/**
 * The families that the kernel has. IPv6 counts also where it is only switched off, since it can be
 * switched on, and where the kernel's parameters cannot be seen.
 */
export function familiesHere(): readonly Family[] {
	const absent = existsSync('/proc/sys/net') && !existsSync('/proc/sys/net/ipv6');
	return FAMILIES.filter((family) => family === 4 || !absent);
}

/** The services that have a name on this machine. */
export function servicesHere(): Services {
	named ??= new NamedServices();
	return named;
}

/** They are read once. */
let named: Services | undefined;
