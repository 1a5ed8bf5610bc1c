import {existsSync} from 'node:fs';
import process from 'node:process';
import {FAMILIES, type Family} from '../../lib/network.ts';
import {parseServices, type Services, withOwnServices} from '../../policy/services.ts';
import {readText} from '../files/read-text.ts';
import {type Interface, interfacesHere} from './interfaces.ts';

/** The facts about this machine that are known at once, without starting a program. */
export type HostFacts = {
	/** Whether this is root, also of a user namespace, and so may change rules. */
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
 * The address families of the kernel. IPv6 counts also where it is only switched off, since it can be
 * switched on, and where the kernel's parameters cannot be read.
 */
export function familiesHere(): readonly Family[] {
	const absent = existsSync('/proc/sys/net') && !existsSync('/proc/sys/net/ipv6');
	return FAMILIES.filter((family) => family === 4 || !absent);
}

/** The names of services in /etc/services, and fw-wizard's own names for ports that the file lacks. */
export function servicesHere(): Services {
	return withOwnServices(parseServices(readText('/etc/services') ?? ''));
}
