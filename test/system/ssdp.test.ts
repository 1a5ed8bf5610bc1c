import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {INSIDE, joinedPair, OUTSIDE} from '../_helpers/lab/pair.ts';

const GROUP = '239.255.255.250';

/** A media server: it answers each search from port 1900, to the port that asked. */
const DEVICE = `
const socket = require('node:dgram').createSocket({type: 'udp4', reuseAddr: true});
socket.on('message', (_, from) => socket.send('HTTP/1.1 200 OK', from.port, from.address));
socket.bind(1900, () => {
	for (const address of ['${INSIDE.probe}', '${OUTSIDE.probe}']) try { socket.addMembership('${GROUP}', address); } catch {}
	console.log('ready');
});`;

/** A program that searches from one of its addresses, and prints who has answered; several times, for lost packets. */
const search = (address: string) => `
const socket = require('node:dgram').createSocket('udp4');
const end = (text) => { console.log(text); process.exit(); };
socket.on('message', (_, from) => end('found ' + from.address));
socket.bind(0, '${address}', () => {
	socket.setMulticastInterface('${address}');
	const ask = () => socket.send('M-SEARCH * HTTP/1.1', 1900, '${GROUP}');
	ask();
	setInterval(ask, 250);
});
setTimeout(() => end('nothing found'), 1500);`;

describe.each(BACKENDS)('SSDP, %s', (backend) => {
	const lab = useLab();
	let target: Host;

	beforeAll(async () => {
		const pair = await joinedPair(lab, backend);
		target = pair.target;
		await pair.probe.start(process.execPath, ['-e', DEVICE], /ready/);
	});

	const find = async (address: string) =>
		(await target.must(process.execPath, ['-e', search(address)])).trim();

	test('devices of the local network are found where ssdp is open, and only these', async () => {
		expect(await find(INSIDE.target)).toBe(`found ${INSIDE.probe}`);
		expect(await find(OUTSIDE.target)).toBe(`found ${OUTSIDE.probe}`);
		await wizardDoes(target, 'apply', '--role', 'workstation', '--open', 'mdns');
		expect(await find(INSIDE.target)).toBe('nothing found');
		await wizardDoes(target, 'apply', '--role', 'workstation', '--open', 'ssdp');
		expect(await find(INSIDE.target)).toBe(`found ${INSIDE.probe}`);
		// Addresses of the internet may not send to any port of those that ask.
		expect(await find(OUTSIDE.target)).toBe('nothing found');
	}, 90_000);
});
