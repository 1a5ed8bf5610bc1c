import {describe, expect, it} from 'vitest';
import {isInterface} from '../../source/policy/interface-pattern.ts';
import {INNER_INTERFACES, innerInterfaces} from '../../source/policy/published.ts';

describe('the interfaces of containers and guests', () => {
	it('are named by patterns, so that a network that is made anew is one of them', () => {
		const here = ['docker0', 'br-0123456789ab', 'podman0', 'virbr0', 'incusbr0'];
		expect(innerInterfaces(here.map((name) => ({name, inner: true})))).toBeUndefined();
		for (const name of [...here, 'br-ba9876543210', 'docker_gwbridge', 've-web']) {
			expect(INNER_INTERFACES.some((pattern) => isInterface(pattern, name))).toBe(true);
		}

		for (const name of ['eth0', 'br0', 'bridge0', 'wg0', 'tailscale0', 'wlan0']) {
			expect(INNER_INTERFACES.some((pattern) => isInterface(pattern, name))).toBe(false);
		}
	});

	it.each([
		['a bridge with a network card', {name: 'br-lan', inner: false}],
		["a bridge of somebody's own guests", {name: 'br-vm', inner: true}],
	])('are the names that are there where a pattern would take in %s', (_, other) => {
		const here = [{name: 'br-0123456789ab', inner: true}, {name: 'docker0', inner: true}, other];
		const inner = innerInterfaces(here);
		expect(inner).not.toContain('br-+');
		expect(inner).toContain('br-0123456789ab');
		expect(inner).toContain('docker+');
		expect(inner?.includes(other.name)).toBe(other.inner);
	});

	it('are also those of other names that have only guests behind them', () => {
		expect(innerInterfaces([{name: 'lab', inner: true}])).toEqual([...INNER_INTERFACES, 'lab']);
		expect(innerInterfaces([{name: 'eth0', inner: false}])).toBeUndefined();
	});
});
