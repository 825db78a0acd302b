import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';
import { type Backup, type BackupContent, readBackup } from '../../config/thermal/backups.ts';
import { cameraProblems } from '../../config/thermal/cameraRules.ts';
import { readThermalConfig } from '../../config/thermal/thermalConfig.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { printable } from '../terminal/paint.ts';
import { type Printed, thingsboardText } from './content.ts';

interface Row {
  readonly number: number;
  readonly backup: Backup;
  readonly deviceId: string | undefined;
  /** Whether it can be restored. */
  readonly usable: boolean;
  readonly current: boolean;
  readonly remark: string;
}

const MAX_ID_LENGTH = 64;

async function rowOf(backup: Backup, number: number, current: Buffer | undefined): Promise<Row> {
  const content = await readBackup(backup.path);
  const isCurrent = content.bytes !== undefined && current?.equals(content.bytes) === true;
  const from = backup.former ? ', made by the former client' : '';
  const same = `${from}${isCurrent ? ', same as the current file' : ''}`;
  if (!content.usable) {
    const remark = `damaged: ${content.why}${same}`;
    return { number, backup, deviceId: undefined, usable: false, current: isCurrent, remark };
  }
  const deviceId = thingsboardText(content.value, 'device_id')?.slice(0, MAX_ID_LENGTH);
  return { number, backup, deviceId, usable: true, current: isCurrent, remark: `${remarkOn(content)}${same}` };
}

function remarkOn({ bytes, repair }: Extract<BackupContent, { usable: true }>): string {
  const problems = cameraProblems(repair?.bytes ?? bytes).length;
  const repaired = repair === undefined ? '' : `, after a repair: it ${repair.problem}`;
  if (problems === 0) return `complete${repaired}`;
  return `complete, but breaks ${problems === 1 ? 'a rule' : `${problems} rules`} of the camera${repaired}`;
}

/** Lists the backups, newest first: time, size, device, and whether each can be restored. @param now ms since the epoch */
export async function listing(
  { deviceFolder }: DevicePaths,
  backups: readonly Backup[],
  now: number,
): Promise<Printed> {
  // Problems of the current file are the subject of `doctor`.
  const current = await readThermalConfig(deviceFolder, 'read').catch(() => undefined);
  const rows: Row[] = [];
  for (const [index, backup] of backups.entries()) rows.push(await rowOf(backup, index + 1, current?.bytes));
  return { text: textOf(rows, deviceFolder, now), json: { backups: rows.map(jsonOf), folder: deviceFolder } };
}

const jsonOf = ({ backup, current, deviceId, number, remark, usable }: Row): object => ({
  bytes: backup.size,
  deviceId: deviceId ?? null,
  former: backup.former,
  madeAt: new Date(backup.time).toISOString(),
  name: backup.name,
  number,
  remark,
  sameAsCurrent: current,
  usable,
});

function textOf(rows: readonly Row[], folder: string, now: number): string {
  if (rows.length === 0) return `No backups of thermal_config.json in ${printable(folder)}\n`;
  const cells = rows.map(({ number, backup, deviceId, remark }) => [
    String(number),
    `${new Date(backup.time).toISOString().slice(0, 19)}Z`,
    formatDistanceStrict(backup.time, now, { addSuffix: true }),
    `${backup.size} B`,
    deviceId ?? '–',
    remark,
  ]);
  const table = [['n', 'made', '', 'size', 'device', 'state'], ...cells];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${printable(lines.join('\n'))}\n\nCompare with the current file: thermal-provision backups diff N --dir ${printable(folder)}\n`;
}
