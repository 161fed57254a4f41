/* The points of every simulated mine: one coal face, two headings, one area, main return. Zones name the switch gear that methane commands. */
#include "sim/inside.h"

#define CH4(place, base, gas, a, b, c, d, zone)                                                                                                                \
    { R_CH4, "0001", "MN", "%CH4", "环境瓦斯", place, "4.00", base, gas, 0.02, {a, b, c, d}, zone }
#define MN(role, type, unit, name, place, range, base, gas, noise, hi)                                                                                         \
    { role, type, "MN", unit, name, place, range, base, gas, noise, {hi, hi, "", ""}, ZONE_NONE }
#define KG(role, type, name, place, zone)                                                                                                                      \
    { role, type, "KG", "", name, place, "", 1, 0, 0, {"", "", "", ""}, zone }
const struct spec SPECS[] = {
    CH4("1101工作面上隅角", 0.42, 0.30, "1.0", "1.0", "1.5", "1.0", ZONE_FACE),
    CH4("1101工作面", 0.30, 0.25, "1.0", "1.0", "1.5", "1.0", ZONE_FACE),
    CH4("1101工作面回风巷", 0.36, 0.26, "1.0", "1.0", "1.0", "1.0", ZONE_FACE),
    CH4("1101工作面进风巷", 0.08, 0.02, "0.5", "0.5", "0.5", "0.5", ZONE_FACE),
    CH4("1203掘进工作面", 0.22, 0.15, "1.0", "1.0", "1.5", "1.0", ZONE_HEAD_A),
    CH4("1203掘进回风流", 0.28, 0.16, "1.0", "1.0", "1.0", "1.0", ZONE_HEAD_A),
    CH4("1204掘进工作面", 0.20, 0.14, "1.0", "1.0", "1.5", "1.0", ZONE_HEAD_B),
    CH4("1204掘进回风流", 0.26, 0.15, "1.0", "1.0", "1.0", "1.0", ZONE_HEAD_B),
    CH4("一采区回风巷", 0.30, 0.12, "1.0", "1.0", "1.0", "1.0", ZONE_NONE),
    CH4("总回风巷", 0.24, 0.08, "0.75", "0.75", "", "", ZONE_NONE),
    MN(R_CO, "0004", "ppm", "一氧化碳", "1101工作面回风巷", "1000", 4, 1.5, 0.4, "24"),
    MN(R_CO, "0004", "ppm", "一氧化碳", "总回风巷", "1000", 2.5, 0.6, 0.3, "24"),
    MN(R_CO, "0004", "ppm", "一氧化碳", "主斜井皮带滚筒下风侧", "1000", 1.8, 0.8, 0.3, "10"),
    MN(R_WIND, "0002", "m/s", "风速", "1101工作面回风巷", "15", 1.6, 0, 0.06, ""),
    MN(R_WIND, "0002", "m/s", "风速", "总回风巷", "15", 4.8, 0, 0.10, "8"),
    MN(R_TEMP, "0003", "℃", "环境温度", "1101工作面", "100", 21.5, 1.2, 0.1, "26"),
    MN(R_TEMP, "0003", "℃", "环境温度", "1203掘进工作面", "100", 20.8, 0.8, 0.1, "26"),
    MN(R_O2, "0012", "%", "氧气", "1101工作面", "25", 20.7, -0.1, 0.02, ""),
    MN(R_PRESSURE, "0006", "kPa", "负压", "主通风机风硐", "5", 1.85, 0, 0.02, ""),
    KG(R_FAN, "1001", "局部通风机", "1203掘进局扇", ZONE_HEAD_A),
    KG(R_FAN, "1001", "局部通风机", "1204掘进局扇", ZONE_HEAD_B),
    KG(R_DUCT, "1003", "风筒状态", "1203掘进风筒", ZONE_HEAD_A),
    KG(R_DUCT, "1003", "风筒状态", "1204掘进风筒", ZONE_HEAD_B),
    KG(R_MAIN_FAN, "1010", "主通风机", "1号主通风机", ZONE_NONE),
    KG(R_DOOR, "1002", "风门", "一采区1号风门", ZONE_NONE),
    KG(R_DOOR, "1002", "风门", "一采区2号风门", ZONE_NONE),
    KG(R_SMOKE, "1008", "烟雾", "主斜井皮带机头", ZONE_NONE),
    KG(R_FEED, "1011", "馈电器", "1101工作面开关负荷侧", ZONE_FACE),
    KG(R_CUTTER, "1009", "断电器", "1101工作面断电器", ZONE_FACE),
    KG(R_FEED, "1011", "馈电器", "1203掘进开关负荷侧", ZONE_HEAD_A),
    KG(R_CUTTER, "1009", "断电器", "1203掘进断电器", ZONE_HEAD_A),
    KG(R_FEED, "1011", "馈电器", "1204掘进开关负荷侧", ZONE_HEAD_B),
    KG(R_CUTTER, "1009", "断电器", "1204掘进断电器", ZONE_HEAD_B),
    KG(R_BELT, "1004", "设备开停", "主斜井带式输送机", ZONE_NONE),
    KG(R_MACHINE, "1004", "设备开停", "1101采煤机组", ZONE_FACE),
    KG(R_MACHINE, "1004", "设备开停", "1203掘进设备", ZONE_HEAD_A),
    {R_OUTPUT, "3001", "LJ", "t", "产量", "主斜井皮带秤", "", 0, 0, 0, {"", "", "", ""}, ZONE_NONE},
    {R_STATION, "4001", "DT", "", "分站", "一采区变电所分站", "", 1, 0, 0, {"", "", "", ""}, ZONE_NONE},
    {R_POWER, "4002", "DT", "", "电源状态", "地面变电所", "", 1, 0, 0, {"", "", "", ""}, ZONE_NONE},
};
const int SPECS_N = sizeof SPECS / sizeof *SPECS;
_Static_assert(sizeof SPECS / sizeof *SPECS <= POINTS_MAX, "a mine has room for every point");
